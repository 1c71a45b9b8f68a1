"""Reranks, or makes hard negatives, over Parquet files of any size: Ray Data spreads the work, `foliorank` does it.

    pip install -r requirements.txt
    python parquet.py rerank questions/ ranked/ --workers 8
    python parquet.py negatives pages/ groups/ --workers 8 -- --property year,entity

Every row comes out once, in its order and with its columns, and with those of the command; what is wrong with a row is in its column
`error`. Parts that are written are not made again: the same command goes on where a stopped one ended.

Ray and not Spark: it needs no JVM beside a program that is none, and its actors keep a loaded model between parts. An actor has
a `foliorank serve` of its own and not a `foliorank rerank`: that ends at the first bad request, the server answers it with an error.
One file, because Ray sends the classes of the main module, and no others, to other machines.
"""

import argparse
import http.client
import json
import os
import posixpath
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import pyarrow as pa
import pyarrow.parquet as pq
import ray
from pyarrow import fs

# Ends the server with the process that asked for it, however that ended: its end of the pipe is closed then. The server is the child itself,
# because Ray kills children and no more, and standard output is its alone, so that its end can be read there.
GUARD = 'exec 3<&0; (read _ <&3; kill -9 $$) >&- 2>&- & exec "$@" 3<&- </dev/null'
# A page that the rules can work with: what fails on it is not the page's fault.
KNOWN_GOOD = "In 2021, Northwind Energy sold its Danish gas business for $40 million."
# Ray on this machine alone. What passes through its store is the list of parts.
ALONE = {"_node_ip_address": "127.0.0.1", "include_dashboard": False, "object_store_memory": 200 << 20}
PASSAGE = pa.struct([("start", pa.int32()), ("end", pa.int32())])
RANKED = {"indexes": pa.list_(pa.int32()), "scores": pa.list_(pa.float32()), "passages": pa.list_(PASSAGE), "error": pa.string()}
GROUPED = {"groups": pa.list_(pa.string()), "error": pa.string()}


def place(path):
    """A file system of pyarrow and the path in it, of a path or a URI (s3://..., gs://..., file:///...)."""
    return fs.FileSystem.from_uri(path) if "://" in path else (fs.LocalFileSystem(), os.path.abspath(path))


class Server:
    """A `foliorank serve` on a port of its own; started again when it is gone."""

    def __init__(self, command):
        self.command, self.process = command, None
        self.start()

    def start(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
        command = [*self.command, "--host", "127.0.0.1", "--port", "0"]
        self.process = subprocess.Popen(["sh", "-c", GUARD, "sh", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            raise RuntimeError(f"{' '.join(command)} did not start: it says why on standard error")
        self.address = line.split("//")[1].strip()

    def ask(self, body):
        """Status and answer. Raises OSError or HTTPException when the server goes away."""
        connection = http.client.HTTPConnection(self.address)
        try:
            connection.request("POST", "/v2/rerank", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def characters(text, units):
    """A position in UTF-16 units, as the API counts, in characters, as Python does."""
    return units if text.isascii() else len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le"))


class Rerank:
    """Ranks each row's documents for its query."""

    columns = RANKED

    def __init__(self, settings):
        self.inputs, self.options = [settings["query"], settings["documents"]], settings["options"]
        # What a batch job may need is no reason to refuse: a row's size and time are its own business.
        roomy = ["--documents", "1000000", "--body-bytes", str(2**31), "--timeout-ms", str(24 * 3_600_000), "--queue", "1000"]
        self.server = Server([settings["foliorank"], "serve", "--model", settings["model"], "--device", settings["device"], *roomy])
        self.threads = ThreadPoolExecutor(settings["together"])

    def __call__(self, rows):
        ranked = list(self.threads.map(self.once, rows))
        # The server went away: one of the rows in flight may be the reason, the others are not. Each gets a server that works.
        return [self.alone(row) if answer is None else answer for row, answer in zip(rows, ranked)]

    def once(self, row):
        query, documents = row
        body = json.dumps({**self.options, "query": query, "documents": documents}).encode()
        try:
            status, answer = self.server.ask(body)
        except (OSError, http.client.HTTPException):
            return None
        if status != 200:
            return {"error": f"{answer['error']['code']}: {answer['error']['message']}"}
        results = answer["results"]
        span = lambda found: {at: characters(documents[found["index"]], found["passage"][at]) for at in ("start", "end")}
        return {
            "indexes": [found["index"] for found in results],
            "scores": [found["relevance_score"] for found in results],
            "passages": [span(found) for found in results],
        }

    def alone(self, row):
        answer = self.once(row)
        if answer is None:
            self.server.start()
            answer = self.once(row)
        return answer or {"error": "internal: the server ended over this row, twice"}


class Negatives:
    """Makes training groups of each row's page: `foliorank generate` over all pages of a part."""

    columns = GROUPED

    def __init__(self, settings):
        self.inputs = [settings["text"]]
        self.command = [settings["foliorank"], "generate", "--model", settings["model"], "--device", settings["device"], *settings["more"]]
        self.works = False

    def __call__(self, rows):
        answers = [{"error": "invalid_argument: expected some text, found none"} for _ in rows]
        pages = {number: text for number, (text,) in enumerate(rows) if text and not text.isspace()}
        for number, answer in self.all(pages).items():
            answers[number] = answer
        return answers

    def all(self, pages):
        """Halves what fails until the page is found that does."""
        groups, why = self.generate(pages) if pages else ({}, None)
        if why is None:
            return {number: {"groups": groups.get(number, [])} for number in pages}
        if len(pages) == 1:
            # A provider that is away fails on every page; then none of them is to blame.
            if self.generate({0: KNOWN_GOOD})[1] is not None:
                raise RuntimeError(f"foliorank generate fails on every page: {why}")
            return {number: {"error": why} for number in pages}
        numbers = list(pages)
        halves = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
        return {number: answer for half in halves for number, answer in self.all({number: pages[number] for number in half}).items()}

    def generate(self, pages):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "groups.jsonl")
            os.mkdir(os.path.join(folder, "pages"))
            for number, text in pages.items():
                with open(os.path.join(folder, "pages", f"{number:09}.txt"), "w", encoding="utf-8", newline="") as file:
                    file.write(text)
            done = subprocess.run([*self.command, "--input", os.path.join(folder, "pages"), "--out", out], capture_output=True, text=True)
            if done.returncode:
                said = [line.strip() for line in done.stderr.split("Error:")[-1].splitlines() if line.strip()]
                return {}, " ".join(said) or f"foliorank generate ended with {done.returncode}"
            groups = {}
            with open(out, encoding="utf-8") as file:
                for line in file:
                    groups.setdefault(int(json.loads(line)["page"]["id"].split(".")[0]), []).append(line.rstrip("\n"))
            return groups, None


class Worker:
    """Of a Ray actor: makes parts, one at a time, each complete or not there."""

    def __init__(self, command, settings):
        self.work = {"rerank": Rerank, "negatives": Negatives}[command](settings)

    def __call__(self, batch):
        made = [self.make(json.loads(part)) for part in batch["part"]]
        return {"rows": [rows for rows, _ in made], "errors": [errors for _, errors in made]}

    def make(self, part):
        table = read(part)
        rows = list(zip(*(table.column(name).to_pylist() for name in self.work.inputs)))
        answers = self.work(rows)
        for name, kind in self.work.columns.items():
            table = table.append_column(name, pa.array([answer.get(name) for answer in answers], kind))
        files, path = place(part["out"])
        # A name that starts with "_" is nothing to readers of Parquet, and a rename is all or nothing.
        beside = posixpath.join(posixpath.dirname(path), f"_{os.getpid()}-{posixpath.basename(path)}")
        with files.open_output_stream(beside) as out:
            pq.write_table(table, out, compression="zstd")
        files.move(beside, path)
        return len(answers), sum("error" in answer for answer in answers)


def read(part):
    """The rows of a part; of the file only the row groups that have them are read."""
    files, path = place(part["file"])
    with files.open_input_file(path) as source:
        file = pq.ParquetFile(source)
        first, groups, start = 0, [], None
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if first + rows > part["from"] and first < part["from"] + part["rows"]:
                groups.append(group)
                start = first if start is None else start
            first += rows
        return file.read_row_groups(groups).slice(part["from"] - start, part["rows"])


def plan(command, settings, source, out, most):
    """The parts, and the job as it is written down. Throws when a column is missing or in the way."""
    columns = {"rerank": RANKED, "negatives": GROUPED}[command]
    needed = [settings["query"], settings["documents"]] if command == "rerank" else [settings["text"]]
    files, path = place(source)
    single = files.get_file_info(path).type == fs.FileType.File
    found = [path] if single else [file.path for file in files.get_file_info(fs.FileSelector(path, recursive=True)) if file.base_name.endswith(".parquet")]
    prefix = source.split("://")[0] + "://" if "://" in source and not source.startswith("file:") else ""
    parts, inputs = [], []
    for file in sorted(file for file in found if not posixpath.basename(file).startswith(("_", "."))):
        with files.open_input_file(file) as opened:
            metadata = pq.ParquetFile(opened)
            rows, names = metadata.metadata.num_rows, metadata.schema_arrow.names
        if missing := [name for name in needed if name not in names]:
            sys.exit(f"{file}: expected the columns {needed}, found none of {missing}; name them with the options")
        if taken := [name for name in columns if name in names]:
            sys.exit(f"{file}: has columns {taken}, which are what this writes; rename them")
        inputs.append([file, rows])
        for start in range(0, rows, most):
            name = f"part-{len(parts):07}.parquet"
            parts.append({"file": prefix + file, "from": start, "rows": min(most, rows - start), "out": posixpath.join(out, name)})
    if not parts:
        sys.exit(f"{source}: expected Parquet files with rows, found none")
    return parts, {"command": command, "settings": settings, "rows": most, "inputs": inputs}


def left(parts, job, out):
    """The parts that are not there yet. The folder is made, or checked to be of the same job."""
    files, path = place(out)
    files.create_dir(path, recursive=True)
    note, text = posixpath.join(path, "_job.json"), json.dumps(job, indent=1)
    if files.get_file_info(note).type == fs.FileType.File:
        with files.open_input_file(note) as file:
            if file.read().decode() != text:
                sys.exit(f"{out}: has the parts of another job, see _job.json there; choose another folder")
    else:
        with files.open_output_stream(note) as file:
            file.write(text.encode())
    there = {posixpath.basename(file.path) for file in files.get_file_info(fs.FileSelector(path))}
    return [part for part in parts if posixpath.basename(part["out"]) not in there]


def connect(address, workers):
    """To a cluster, or to one of this machine's own. That has 30 s to start, by Ray's choice: on a busy machine it may take a second try."""
    if address:
        return ray.init(address=address)
    try:
        return ray.init(**ALONE, num_cpus=workers)
    except Exception as error:
        print(f"Ray did not start, once more: {error}", file=sys.stderr, flush=True)
        ray.shutdown()
        return ray.init(**ALONE, num_cpus=workers)


def run(command, settings, todo, workers, address):
    """Makes the parts with so many actors. Ray starts a killed actor again and gives its part to another."""
    connect(address, workers)
    ray.data.DataContext.get_current().enable_progress_bars = False
    asked = ray.data.from_items([{"part": json.dumps(part)} for part in todo], override_num_blocks=len(todo))
    made = asked.map_batches(Worker, fn_constructor_args=(command, settings), batch_size=1, compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1))
    began, done, rows, errors = time.monotonic(), 0, 0, 0
    for one in made.iter_rows():
        done, rows, errors = done + 1, rows + one["rows"], errors + one["errors"]
        rate = rows / (time.monotonic() - began)
        rest = sum(part["rows"] for part in todo) - rows
        print(f"{done} of {len(todo)} parts, {rows} rows, {errors} errors, {rate:.1f} rows/s, {rest / rate:.0f} s left", file=sys.stderr, flush=True)
    ray.shutdown()


def tidy(out):
    """Removes what killed workers have left half written."""
    files, path = place(out)
    for file in files.get_file_info(fs.FileSelector(path)):
        if file.base_name.startswith("_") and "-part-" in file.base_name:
            files.delete_file(file.path)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    rerank = commands.add_parser("rerank", help="columns with a query and its documents -> indexes, scores, passages, error")
    rerank.add_argument("--query-column", default="query", dest="query")
    rerank.add_argument("--documents-column", default="documents", dest="documents", help="a list of texts")
    rerank.add_argument("--top-n", type=int)
    rerank.add_argument("--raw-scores", action="store_true", default=None)
    rerank.add_argument("--max-tokens-per-document", type=int, dest="max_tokens_per_doc")
    rerank.add_argument("--together", type=int, default=8, help="rows that a worker's server scores together; default 8")
    negatives = commands.add_parser("negatives", help="a column with a page's text -> groups (a training group each, as JSON), error")
    negatives.add_argument("--text-column", default="text", dest="text")
    negatives.epilog = "After --: arguments of `foliorank generate`, as --llm or --property."
    for command in (rerank, negatives):
        command.add_argument("input", help="a Parquet file or a folder of them, or a URI of pyarrow")
        command.add_argument("output", help="the folder for the parts")
        command.add_argument("--workers", type=int, default=2, help="each holds the model; default 2")
        command.add_argument("--rows", type=int, default=256, help="rows of a part; row groups of the input should not be much larger")
        command.add_argument("--foliorank", default="foliorank", help="the program, on every machine")
        command.add_argument("--model", default="ms-marco-minilm-l12-v2")
        command.add_argument("--device", default="cpu")
        command.add_argument("--address", help="a Ray cluster; default: this machine alone")
    return parser


def main():
    here, more = sys.argv[1:], []
    if "--" in here:
        here, more = here[: here.index("--")], here[here.index("--") + 1 :]
    given = arguments().parse_args(here)
    settings = {name: getattr(given, name) for name in ("foliorank", "model", "device")}
    if given.command == "rerank" and more:
        sys.exit(f"expected nothing after --, found {more}")
    if given.command == "rerank":
        options = {name: getattr(given, name) for name in ("top_n", "raw_scores", "max_tokens_per_doc")}
        settings |= {"query": given.query, "documents": given.documents, "together": given.together}
        settings["options"] = {name: value for name, value in options.items() if value is not None}
    else:
        settings |= {"text": given.text, "more": more}
    for name in ("workers", "rows"):
        if getattr(given, name) < 1:
            sys.exit(f"--{name}: expected 1 or more, found {getattr(given, name)}")
    out = given.output if "://" in given.output else os.path.abspath(given.output)
    parts, job = plan(given.command, settings, given.input, out, given.rows)
    todo = left(parts, job, out)
    print(f"{len(parts)} parts, {len(parts) - len(todo)} of them there already", file=sys.stderr, flush=True)
    if todo:
        run(given.command, settings, todo, given.workers, given.address)
        tidy(out)


if __name__ == "__main__":
    main()
