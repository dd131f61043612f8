r"""Compiled: a text split into words as GPT-2's tokenizer does, and the tokens of known words.

The pattern is ``'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+``.
Texts are arrays of code points, ``classes`` says what each code point is. Known words form a trie
in a hash table (`gim._kernels.hash_table`): nodes by number, 0 the root. ``places`` (n_nodes, 2)
has for the last character of a known word where its tokens begin in the flat array of all tokens,
and how many they are: 0 where no word ends.
"""

from numba import njit

from gim._kernels.hash_table import lookup, store

OTHER, LETTER, NUMBER, SPACE, UNSEEN = range(5)


@njit(cache=True)
def _end(text, classes, i):
    """Where the word that begins at ``i`` ends."""
    n = len(text)
    if text[i] == ord("'") and i + 1 < n:
        a, b = text[i + 1], text[i + 2] if i + 2 < n else 0
        if a == ord("s") or a == ord("t") or a == ord("m") or a == ord("d"):
            return i + 2
        if (b == ord("e") and (a == ord("r") or a == ord("v"))) or a == b == ord("l"):
            return i + 3
    j = i
    if text[i] == ord(" ") and i + 1 < n and classes[text[i + 1]] != SPACE:
        j = i + 1
    kind, end = classes[text[j]], j + 1
    while end < n and classes[text[end]] == kind:
        end += 1
    # White space leaves its last character to the word after it, if that is not all there is.
    return end - 1 if kind == SPACE and end < n and end - 1 > i else end


@njit(cache=True)
def _node(text, begin, end, keys, values, places):
    node = 0
    for j in range(begin, end):
        node = lookup(keys, values, node, text[j])
        if node == 0:
            break
    return node if places[node, 1] else 0


@njit(cache=True)
def find_words(text, classes, keys, values, places, nodes, unknown):
    """Put the node of each word into ``nodes``; those of unknown words are 0.

    ``unknown`` (n, 3) gets where the unknown words begin and end, and which words they are. Both
    have room for a word a character. Returns the numbers of words, of unknown ones, and of all
    tokens of known ones, and the length of the longest word.
    """
    i, words, missing, tokens, longest = 0, 0, 0, 0, 0
    while i < len(text):
        end = _end(text, classes, i)
        nodes[words] = _node(text, i, end, keys, values, places)
        if nodes[words] == 0:
            unknown[missing, 0], unknown[missing, 1], unknown[missing, 2] = i, end, words
            missing += 1
        tokens += places[nodes[words], 1]
        longest = max(longest, end - i)
        words += 1
        i = end
    return words, missing, tokens, longest


@njit(cache=True)
def find_again(text, keys, values, places, nodes, unknown):
    """Look up the words that were unknown; return the number of their tokens, -1 if one still is.

    See `find_words`.
    """
    tokens = 0
    for u in range(len(unknown)):
        node = _node(text, unknown[u, 0], unknown[u, 1], keys, values, places)
        if node == 0:
            return -1
        nodes[unknown[u, 2]] = node
        tokens += places[node, 1]
    return tokens


@njit(cache=True)
def learn(word, keys, values, n_nodes, places, begin, count):
    """Add a word with its tokens; return the number of nodes after it."""
    node = 0
    for j in range(len(word)):
        child = lookup(keys, values, node, word[j])
        if child == 0:
            child = n_nodes
            store(keys, values, node, word[j], child)
            n_nodes += 1
        node = child
    places[node, 0], places[node, 1] = begin, count
    return n_nodes


@njit(cache=True)
def spell(nodes, places, tokens, out):
    """Put the tokens of all words into ``out``."""
    k = 0
    for w in range(len(nodes)):
        begin = places[nodes[w], 0]
        for j in range(begin, begin + places[nodes[w], 1]):
            out[k] = tokens[j]
            k += 1
