// Starts Chromium for the browser tests. WebGPU comes from SwiftShader, so no GPU is needed; a test that wants none asks for none.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// The npm packages live in www.
const require = createRequire(join(dirname(fileURLToPath(import.meta.url)), "../../www/package.json"));
const { chromium } = require("playwright-core");

const ALWAYS = [
  "--no-sandbox", "--disable-gpu-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export const launch = ({ webgpu = true } = {}) => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [...ALWAYS, ...(webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : ["--disable-features=WebGPU,WebGPUService", "--disable-gpu"])],
});
