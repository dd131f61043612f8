"""The report of a run: one HTML file that needs nothing else.

It uses the tables, fits and regions. Begin with `page` (`Run`, `render`); `templates/` and
`static/` are what it is made of, `answer` the sentence at its top.
"""
