#!/usr/bin/env python3
"""Rerank a BEIR data set with `foliorank rerank` and print nDCG@10 before and after.

First stage: BM25 (k1 0.9, b 0.4, Lucene's idf) over title + " " + text: lower-cased runs of Unicode
letters and digits, Lucene's 33 English stop words, Harman's S-stemmer ("How effective is
suffixing?", JASIS 42, 1991). Its top documents, as title + " " + text, go to the command as JSON
Lines. Every answer is appended to --answers, and what is answered there is not asked again.
Intervals are 95 % percentile bootstraps over queries. Standard library only; no network.
"""

import argparse
import collections
import hashlib
import heapq
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import time

STOP = frozenset("""a an and are as at be but by for if in into is it no not of on or such that the
their then there these they this to was will with""".split())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=pathlib.Path, required=True, help="BEIR folder: corpus.jsonl, queries.jsonl, qrels/")
    add("--split", default="test", help="which qrels (default: test)")
    add("--foliorank", help="the native command; without it only BM25 is measured")
    add("--model", default="ms-marco-minilm-l12-v2", help="name in the cache, or a folder with a model.json")
    add("--top", type=int, default=20, help="documents of BM25 to rerank (default: 20)")
    add("--queries", type=int, help="how many queries; the first N of a seeded shuffle (default: all)")
    add("--seed", type=int, default=1)
    add("--max-tokens-per-document", type=int, help="read only the start of each document")
    for name in ("--window", "--overlap"):
        add(name, type=int, help="in tokens, of documents that do not fit (default: the command's)")
    add("--answers", type=pathlib.Path, help="keep answers there and resume from there; needed with --foliorank")
    add("--json", type=pathlib.Path, help="write the figures there")
    options = parser.parse_args()
    if options.foliorank and not options.answers:
        parser.error("--foliorank needs --answers FILE")
    return options


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def read_qrels(path):
    """Query id -> document id -> grade above 0."""
    qrels = collections.defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            qrels[query][document] = int(grade)
    return qrels


def stem(word):
    """Harman's S-stemmer: the first rule whose ending fits decides."""
    if len(word) > 3 and word.endswith("ies") and word[-4] not in "ea":
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("es") and word[-3] not in "aeo":
        return word[:-1]
    if len(word) > 2 and word.endswith("s") and word[-2] not in "us":
        return word[:-1]
    return word


def terms(text):
    return [stem(word) for word in re.findall(r"[^\W_]+", text.lower()) if word not in STOP]


class Bm25:
    """An inverted index over id -> text, each posting's share of the score computed once."""

    def __init__(self, texts, k1=0.9, b=0.4):
        counts = {name: collections.Counter(terms(text)) for name, text in texts.items()}
        lengths = {name: sum(count.values()) for name, count in counts.items()}
        mean = sum(lengths.values()) / len(lengths)
        self.order = {name: index for index, name in enumerate(texts)}
        self.postings = collections.defaultdict(list)
        for name, count in counts.items():
            norm = k1 * (1 - b + b * lengths[name] / mean)
            for term, tf in count.items():
                self.postings[term].append((name, tf / (tf + norm)))

    def top(self, query, k):
        """Ids of the best `k` documents, best first, ties in corpus order."""
        scores = collections.defaultdict(float)
        for term in terms(query):
            found = self.postings.get(term, ())
            idf = math.log(1 + (len(self.order) - len(found) + 0.5) / (len(found) + 0.5))
            for name, share in found:
                scores[name] += idf * share
        return heapq.nsmallest(k, scores, key=lambda name: (-scores[name], self.order[name]))


def ndcg(ranked, grades, k=10):
    def gain(values):
        return sum(value / math.log2(rank + 2) for rank, value in enumerate(values[:k]))
    ideal = gain(sorted(grades.values(), reverse=True))
    return gain([grades.get(document, 0) for document in ranked]) / ideal


def interval(values, seed, rounds=5000):
    """95 % of the means of resampled queries."""
    chance = random.Random(seed)
    means = sorted(sum(chance.choices(values, k=len(values))) / len(values) for _ in range(rounds))
    return [means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]]


def ask(options, requests):
    """Sends requests (query id -> request) one at a time; gives each answer with its seconds."""
    command = [options.foliorank, "rerank", "--json", "--raw-scores", "--model", options.model]
    for name in ("max_tokens_per_document", "window", "overlap"):
        if getattr(options, name) is not None:
            command += ["--" + name.replace("_", "-"), str(getattr(options, name))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        for number, (query, request) in enumerate(requests.items(), 1):
            start = time.monotonic()
            try:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except BrokenPipeError:
                line = ""
            if not line:
                sys.exit(f"foliorank stopped with {process.wait()} at query {query}; run again to go on from there")
            seconds = round(time.monotonic() - start, 2)
            print(f"{number}/{len(requests)}  {seconds} s", file=sys.stderr)
            yield {"query": query, "seconds": seconds} | json.loads(line)


def rerank(options, requests):
    """Query id -> answer, kept ones first. The answers file starts with the settings it was made under."""
    names = ("split", "model", "top", "max_tokens_per_document", "window", "overlap")
    settings = {name: getattr(options, name) for name in names}
    settings["foliorank"] = hashlib.sha256(pathlib.Path(options.foliorank).read_bytes()).hexdigest()
    path = options.answers
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    first, *answers = [json.loads(line) for line in whole.splitlines()] or [settings]
    if first != settings:
        sys.exit(f"{path}: expected answers under {settings}, found {first}; name another file")
    known = {answer["query"]: answer for answer in answers}
    asked = {query: request for query, request in requests.items() if query not in known}
    with open(path, "a", encoding="utf-8") as file:
        file.truncate(len(whole))  # a line cut short by a kill is asked again
        file.write("\n" if whole else json.dumps(settings) + "\n")
        for answer in ask(options, asked) if asked else ():
            known[answer["query"]] = answer
            file.write(json.dumps(answer) + "\n")
            file.flush()
    return known


def main():
    options = arguments()
    texts = {d["_id"]: d.get("title", "") + " " + d["text"] for d in read_lines(options.data / "corpus.jsonl")}
    questions = {q["_id"]: q["text"] for q in read_lines(options.data / "queries.jsonl")}
    qrels = read_qrels(options.data / "qrels" / f"{options.split}.tsv")
    chosen = sorted(qrels)
    random.Random(options.seed).shuffle(chosen)
    chosen = chosen[:options.queries]
    index = Bm25(texts)
    found = {query: index.top(questions[query], max(options.top, 10)) for query in chosen}
    answers = []
    if options.foliorank:
        documents = {query: [texts[name] for name in found[query][:options.top]] for query in chosen}
        # Where nothing relevant was found no order can change the 0: those queries are not asked.
        chances = [query for query in chosen if any(name in qrels[query] for name in found[query][:options.top])]
        known = rerank(options, {q: {"query": questions[q], "documents": documents[q]} for q in chances})
        answers = [known[query] for query in chances]

    report = {"queries": len(chosen)}
    print(f"nDCG@10 of {len(chosen)} queries")

    def measure(name, values):
        mean, (low, high) = sum(values) / len(values), interval(values, options.seed)
        report[name] = {"ndcg@10": mean, "interval": [low, high]}
        print(f"{name:8}{mean:+.4f}  95 % {low:+.3f}..{high:+.3f}")
    before = [ndcg(found[query], qrels[query]) for query in chosen]
    measure("before", before)
    if answers:
        orders = dict(found)
        orders |= {q: [found[q][result["index"]] for result in a["results"]] for q, a in zip(chances, answers)}
        after = [ndcg(orders[query], qrels[query]) for query in chosen]
        measure("after", after)
        measure("gain", [a - b for a, b in zip(after, before)])
        report |= {name: sum(a["usage"][name] for a in answers) for name in ("tokens", "padded_tokens", "passages")}
        report["seconds"] = round(sum(a["seconds"] for a in answers), 1)
        report["asked"] = len(answers)
        print("{asked} queries asked: {seconds} s, {tokens} tokens ({padded_tokens} padding), {passages} passages".format(**report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
