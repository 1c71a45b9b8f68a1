"""Reference scores of BM25 as Lucene 8 and later computes it, the formula written out: bm25.json.

Texts are made of words that no analysis changes, with an empty one, repeats, and queries with repeated and unknown
words. `after` is the same corpus with documents removed: what an index must answer once they are gone. Lengths are
exact (Lucene rounds them to a byte). `--check` recomputes and compares.
"""

import math
import random
from collections import Counter
from pathlib import Path

import committed

FILE = Path(__file__).parent / "bm25.json"
WORDS = "river bridge stone winter castle harbour lantern meadow orchard quarry saddle timber valley willow anchor".split()


def corpus(choose):
    """Forty texts whose words are common or rare, and of very different lengths."""
    weights = [1 / (1 + i) for i in range(len(WORDS))]
    texts = [" ".join(choose.choices(WORDS, weights, k=choose.choice([1, 3, 8, 20, 60]))) for _ in range(39)]
    return texts[:17] + [""] + texts[17:]


def scores(texts, query, k1, b):
    """Scores above 0 of `texts` (number -> text)."""
    words = {number: text.split() for number, text in texts.items() if text}
    mean = sum(map(len, words.values())) / len(words)
    found = Counter()
    for term in query.split():
        df = sum(term in document for document in words.values())
        idf = math.log(1 + (len(words) - df + 0.5) / (df + 0.5))
        for number, document in words.items():
            tf = document.count(term)
            if tf:
                found[number] += idf * (tf / (tf + k1 * (1 - b + b * len(document) / mean)))
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def golden():
    choose = random.Random(1994)
    texts = corpus(choose)
    removed = sorted(choose.sample(range(40), 12))
    queries = ["river", "anchor", "castle stone castle", "unknown", "winter unknown river"]
    queries += [" ".join(choose.choices(WORDS, k=length)) for length in (2, 4, 8)]
    before = dict(enumerate(texts))
    after = {number: text for number, text in before.items() if number not in removed}
    cases = [
        {"k1": k1, "b": b, "query": query, "before": scores(before, query, k1, b), "after": scores(after, query, k1, b)}
        for k1, b in [(0.9, 0.4), (1.2, 0.75), (0.0, 0.5), (2.0, 0.0), (1.5, 1.0)]
        for query in queries
    ]
    return {"texts": texts, "removed": removed, "cases": cases}


if __name__ == "__main__":
    committed.write_or_check(FILE, golden())
