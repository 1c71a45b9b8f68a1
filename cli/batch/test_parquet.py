"""The batch job over Parquet on a Ray cluster of this machine: killed workers, bad rows, resuming, both commands.

    python cli/batch/test_parquet.py path/to/foliorank path/to/repository

Needs the packages of cli/batch/requirements.txt, and `ps`.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import pyarrow as pa
import pyarrow.parquet as pq

FOLIORANK, ROOT = sys.argv[1:3]
JOB = os.path.join(ROOT, "cli/batch/parquet.py")
TINY = os.path.join(ROOT, "models/tiny-cross-encoder")
WORDS = "the old stone bridge over the river was made in a long winter 🦀 Straße 城市".split()
DOCUMENTS = pa.list_(pa.string())


def texts(row, count, words):
    return [" ".join(WORDS[(row + 3 * document + 7 * word) % len(WORDS)] for word in range(words + document)) for document in range(count)]


def processes():
    """(pid, parent, command) of every process."""
    lines = subprocess.run(["ps", "-axo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [(int(pid), int(parent), command) for pid, parent, command in (line.split(None, 2) for line in lines)]


def servers(model):
    return [(pid, parent) for pid, parent, command in processes() if command.startswith(f"{FOLIORANK} serve") and model in command]


def until(condition, what):
    for _ in range(1200):
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come about within 120 s")


class Batch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="fr")
        self.addCleanup(self.folder.cleanup)
        # A name of its own, to tell its processes from others; Ray keeps its files and its token below.
        self.model = self.path("model")
        os.symlink(TINY, self.model)
        self.environment = {**os.environ, "HOME": self.path(""), "RAY_TMPDIR": self.path("")}

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def begin(self, command, source, out, *more):
        arguments = [sys.executable, JOB, command, self.path(source), self.path(out), "--workers", "2", "--foliorank", FOLIORANK, "--model", self.model, *more]
        log = open(self.path("log"), "w+")
        self.addCleanup(log.close)
        return subprocess.Popen(arguments, env=self.environment, stdout=log, stderr=log)

    def end(self, job, timeout=240):
        code = job.wait(timeout)
        with open(self.path("log")) as log:
            said = log.read()
        return code, said

    def job(self, *arguments):
        code, said = self.end(self.begin(*arguments))
        self.assertEqual(code, 0, said)
        return said

    def parts(self, out):
        return sorted(name for name in os.listdir(self.path(out)) if name.endswith(".parquet") and not name.startswith("_"))

    def rows(self, out):
        return [row for part in self.parts(out) for row in pq.read_table(self.path(f"{out}/{part}")).to_pylist()]

    def test_every_row_is_there_once_though_a_worker_is_killed_and_rows_are_bad_and_nothing_is_made_twice(self):
        os.mkdir(self.path("in"))
        count = 120
        queries = {44: "", 50: None}
        documents = {60: None, 61: ["a", None], 119: []}
        for file in range(3):
            keys = list(range(40 * file, 40 * file + 40))
            columns = [queries.get(key, f"bridge {key}") for key in keys], pa.array([documents.get(key, texts(key, 6, 40)) for key in keys], DOCUMENTS)
            pq.write_table(pa.table({"key": keys, "q": columns[0], "d": columns[1]}), self.path(f"in/{file}.parquet"), row_group_size=16)
        command = ["rerank", "in", "out", "--query-column", "q", "--documents-column", "d", "--rows"]
        job = self.begin(*command, "7")
        until(lambda: os.path.isdir(self.path("out")) and self.parts("out"), "the first part")
        # Stopped, its worker is in the middle of a part for sure, whatever the other does meanwhile.
        pid, worker = until(lambda: servers(self.model), "a server")[0]
        os.kill(pid, signal.SIGSTOP)
        seen = len(self.parts("out"))
        until(lambda: len(self.parts("out")) >= seen + 2, "parts of the other worker")
        self.assertIsNone(job.poll())
        os.kill(worker, signal.SIGKILL)
        until(lambda: pid not in [one for one, _ in servers(self.model)], "the end of the killed worker's server")
        code, said = self.end(job)
        self.assertEqual(code, 0, said)
        until(lambda: not servers(self.model), "the end of all servers")

        found = self.rows("out")
        self.assertEqual([row["key"] for row in found], list(range(count)))
        self.assertEqual({row["key"]: row["error"].split(":")[0] for row in found if row["error"]}, dict.fromkeys([50, 60, 61], "invalid_argument"))
        self.assertIn("documents[1]", found[61]["error"])
        ranked = {row["key"]: len(row["indexes"]) for row in found if not row["error"]}
        self.assertEqual({key: length for key, length in ranked.items() if length != 6}, {44: 0, 119: 0})
        self.assertIn("18 of 18 parts, 120 rows, 3 errors", said)
        self.assertEqual(self.parts("out"), [f"part-{number:07}.parquet" for number in range(18)])
        asked = "\n".join(json.dumps({"query": row["q"], "documents": row["d"]}) for row in found[:9])
        answers = subprocess.run([FOLIORANK, "rerank", "--model", TINY], input=asked, capture_output=True, text=True, check=True).stdout.splitlines()
        for row, answer in zip(found, map(json.loads, answers)):
            self.assertEqual(row["indexes"], [one["index"] for one in answer["results"]])
            for score, passage, one in zip(row["scores"], row["passages"], answer["results"]):
                self.assertAlmostEqual(score, one["score"], delta=2e-5)
                start, end = one["passage"]
                text = row["d"][one["index"]]
                self.assertEqual(text[passage["start"] : passage["end"]], text.encode()[start:end].decode())

        times = {name: os.stat(self.path(f"out/{name}")).st_mtime_ns for name in self.parts("out")}
        for name in ("part-0000003.parquet", "part-0000017.parquet"):
            os.rename(self.path(f"out/{name}"), self.path(f"out/_1-{name}"))
        said = self.job(*command, "7")
        self.assertIn("18 parts, 16 of them there already", said)
        self.assertEqual([row["key"] for row in self.rows("out")], list(range(count)))
        again = [name for name in self.parts("out") if os.stat(self.path(f"out/{name}")).st_mtime_ns != times[name]]
        self.assertEqual(again, ["part-0000003.parquet", "part-0000017.parquet"])
        self.assertEqual([name for name in os.listdir(self.path("out")) if name.startswith("_")], ["_job.json"])
        code, said = self.end(self.begin(*command, "8"))
        self.assertEqual(code, 1)
        self.assertIn("has the parts of another job", said)

    def test_pages_give_the_training_groups_of_the_generator(self):
        page = "In {}, Northwind Energy sold its Danish gas business for ${} million."
        pages = [page.format(2021, 40), None, " \n", page.format(2019, 30), "Too long. " * 200_000, page.format(2017, 20)]
        pq.write_table(pa.table({"text": pages, "key": range(6)}), self.path("in.parquet"))
        self.job("negatives", "in.parquet", "out", "--", "--seed", "3")
        found = self.rows("out")
        self.assertEqual([row["key"] for row in found], list(range(6)))
        self.assertEqual([row["error"] is None for row in found], [True, False, False, True, False, True])
        self.assertIn("cut it into pages", found[4]["error"])
        for number in (0, 3, 5):
            with open(self.path("page.txt"), "w") as file:
                file.write(pages[number])
            out = self.path(f"{number}.jsonl")
            subprocess.run([FOLIORANK, "generate", "--input", self.path("page.txt"), "--out", out, "--model", TINY, "--seed", "3"], check=True, capture_output=True)
            with open(out) as file:
                alone = [[negative["query"] for negative in json.loads(line)["negatives"]] for line in file]
            self.assertTrue(alone)
            self.assertEqual([[negative["query"] for negative in json.loads(group)["negatives"]] for group in found[number]["groups"]], alone)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
