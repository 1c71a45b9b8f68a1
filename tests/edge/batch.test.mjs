// The batch job over Parquet: its tests are in batch.py, because what it reads and writes is best looked at there.
import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { foliorank, root } from "./host.mjs";

// xtask makes the environment, of cli/batch/requirements.txt.
const python = process.env.FOLIORANK_BATCH ?? join(homedir(), ".cache/foliorank/batch/venv/bin/python");

test("the batch job on Ray gives every row once, whatever happens to a row or a worker", { timeout: 900_000 }, () => {
  execFileSync(python, [join(root, "tests/edge/batch.py"), foliorank, root, "-v"], { stdio: "inherit", timeout: 880_000 });
});
