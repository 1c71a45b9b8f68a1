"""Reference values of the metrics on random runs, by `pytrec_eval` and `ir_measures`: metrics.json.

Runs hold unjudged documents, judged documents are missing from runs, grades are 0-3, and one query has nothing
relevant. Exponential gain is `pytrec_eval` on grades 2^g - 1, and must agree with gdeval's five decimals. The cubic
discount has no reference package: its values here are the formula written out. `--check` recomputes and compares.
"""

import random
from importlib.metadata import version
from pathlib import Path

import ir_measures
import pytrec_eval
from ir_measures import RR, nDCG

import committed

FILE = Path(__file__).parent / "metrics.json"
CUTS = [1, 3, 5, 10, 100]


def random_queries():
    """Rankings and judgements; scores are the reversed positions, so no package meets a tie."""
    choose = random.Random(20250521)
    for query in range(24):
        documents = [f"d{i}" for i in range(60)]
        judged = choose.sample(documents, choose.randint(1, 25))
        relevant = 0 if query == 7 else 3
        grades = {document: choose.randint(0, relevant) for document in judged}
        if query != 7 and not any(grades.values()):
            grades[judged[0]] = 2
        ranking = choose.sample(documents, choose.randint(1, 40))
        yield {"ranking": ranking, "grades": grades}


def cubic(ranking, grades, k):
    """MM-R5 (arXiv:2506.12364): hits weigh 1 / rank^3, over the best possible."""
    found = sum(rank**-3 for rank, document in enumerate(ranking[:k], 1) if grades.get(document, 0) > 0)
    relevant = sum(grade > 0 for grade in grades.values())
    best = sum(rank**-3 for rank in range(1, min(relevant, k) + 1))
    return found / best if best else 0.0


def evaluate(qrels, run, measures):
    return pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)


def golden():
    queries = list(random_queries())
    qrels = {str(i): query["grades"] for i, query in enumerate(queries)}
    run = {
        str(i): {document: float(-rank) for rank, document in enumerate(query["ranking"])}
        for i, query in enumerate(queries)
    }
    cuts = ",".join(map(str, CUTS))
    linear = evaluate(qrels, run, {f"ndcg_cut.{cuts}", f"map_cut.{cuts}", f"recall.{cuts}", "map", "recip_rank", "num_rel"})
    powers = {query: {d: 2**g - 1 for d, g in grades.items()} for query, grades in qrels.items()}
    exponential = evaluate(powers, run, {f"ndcg_cut.{cuts}"})
    strict = evaluate({q: {d: int(g >= 2) for d, g in grades.items()} for q, grades in qrels.items()}, run, {"map"})

    judgements = [ir_measures.Qrel(q, d, g) for q, grades in qrels.items() for d, g in grades.items()]
    scored = [ir_measures.ScoredDoc(q, d, s) for q, documents in run.items() for d, s in documents.items()]
    measures = {k: (RR @ k, nDCG(dcg="exp-log2") @ k) for k in CUTS}
    others = {(m.query_id, m.measure): m.value for m in ir_measures.iter_calc([m for pair in measures.values() for m in pair], judgements, scored)}

    for index, query in enumerate(queries):
        name = str(index)
        query["average_precision"] = linear[name]["map"]
        query["average_precision_from_grade_2"] = strict[name]["map"]
        query["reciprocal_rank"] = linear[name]["recip_rank"]
        query["relevant"] = linear[name]["num_rel"]
        query["at"] = {}
        for k, (reciprocal, gdeval) in measures.items():
            gain = exponential[name][f"ndcg_cut_{k}"]
            assert abs(gain - others[name, gdeval]) < 1e-5, (name, k)
            query["at"][str(k)] = {
                "ndcg_linear": linear[name][f"ndcg_cut_{k}"],
                "ndcg_exponential": gain,
                "average_precision": linear[name][f"map_cut_{k}"],
                "recall": linear[name][f"recall_{k}"],
                "reciprocal_rank": others[name, reciprocal],
                "cubic_discount": cubic(query["ranking"], query["grades"], k),
            }
    return {"made_with": {name: version(name) for name in ("pytrec_eval-terrier", "ir_measures")}, "queries": queries}


if __name__ == "__main__":
    committed.write_or_check(FILE, golden())
