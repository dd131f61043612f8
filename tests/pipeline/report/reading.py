"""A report as it is read: its sections, the numbers in them, its warnings."""

import re

TABLE_ROW = re.compile("<tr.*?</tr>", re.DOTALL)
CELL = re.compile(r'<td data-value="(-?[\d.]+|nan)"[^>]*>([^<]*)</td>')


def section_of(html, section):
    return html.split(f'<section id="{section}">')[1].split("</section>")[0]


def cells(html, section):
    """Numbers of a section: (exact, as shown)."""
    return CELL.findall(section_of(html, section))


def warnings_of(html):
    return re.findall(r'<p class="warning">(.*?)</p>', html, flags=re.DOTALL)
