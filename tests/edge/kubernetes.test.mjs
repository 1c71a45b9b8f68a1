// The Kubernetes template: valid by the schemas of Kubernetes, and true of the server that it starts.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { foliorank, root, start, tiny } from "./host.mjs";

const python = process.env.FOLIORANK_CLIENTS ?? join(homedir(), ".cache/foliorank/clients/venv/bin/python");
const manifest = join(root, "www/edge/templates/kubernetes/foliorank.yaml");

test("the manifest for Kubernetes is valid, and the server does what it relies on", { timeout: 120_000 }, async (t) => {
  const documents = JSON.parse(execFileSync(python, [join(root, "tests/edge/kubernetes.py"), manifest, "1.34"], { encoding: "utf8", timeout: 60_000 }));
  const [deployment, , , autoscaler] = documents;
  assert.deepEqual(documents.map(({ kind }) => kind), ["Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"]);
  const { containers: [serve], initContainers: [models], terminationGracePeriodSeconds, volumes } = deployment.spec.template.spec;
  const argument = (name) => serve.args[serve.args.indexOf(name) + 1];
  assert.deepEqual(models.args, ["models", argument("--model")]);
  assert.deepEqual(volumes.map(({ name }) => name), serve.volumeMounts.map(({ name }) => name));
  // Nothing is cut off that the server would have let finish.
  const asked = serve.lifecycle.preStop.sleep.seconds + Number(argument("--end-ms")) / 1000;
  assert.ok(asked < terminationGracePeriodSeconds && Number(argument("--timeout-ms")) < Number(argument("--end-ms")), `${asked} of ${terminationGracePeriodSeconds} s`);

  const folder = mkdtempSync(join(tmpdir(), "foliorank-kubernetes-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "tokens"), "one");
  const here = { "--host": "127.0.0.1", "--port": "0", "--model": tiny, "--tokens-file": join(folder, "tokens") };
  const args = serve.args.map((value, index) => here[serve.args[index - 1]] ?? value);
  const { url } = await start(t, foliorank, args, { cwd: root });
  for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) assert.equal((await fetch(url + serve[probe].httpGet.path)).status, 200, probe);
  assert.equal((await fetch(`${url}/metrics`)).status, 401);
  const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: "Bearer one" } })).text();
  const [{ pods: { metric: { name } } }] = autoscaler.spec.metrics.filter(({ type }) => type === "Pods");
  assert.match(metrics, new RegExp(`^${name} 0$`, "m"));
});
