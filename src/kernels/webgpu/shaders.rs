//! The text of the kernels: WGSL files with the network's sizes in front, and two kernels that are
//! written out here because they must be unrolled to live in registers.

use core::fmt::Write;

use crate::kernels::{ERF_ABOVE, ERF_BELOW};

/// What the text of the kernels depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Constants {
    pub(super) hidden: usize,
    pub(super) heads: usize,
    pub(super) epsilon: f64,
    /// Whether weights are kept as f16; sums are f32 in any case.
    pub(super) f16: bool,
    /// How the file stores its matrices.
    pub(super) format: u32,
}

/// What follows a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epilogue {
    Bias,
    Gelu,
    Tanh,
    /// Bias, and the row that went in before the block.
    Residual,
}

/// Rows and columns of a product that one thread computes.
pub(super) const TILE: usize = 8;

const COMMON: &str = include_str!("common.wgsl");
const STORED: &str = include_str!("stored.wgsl");

impl Constants {
    fn header(self) -> String {
        let (weight, enable) = if self.f16 {
            ("vec4<f16>", "enable f16;\n")
        } else {
            ("vec4f", "")
        };
        format!(
            "{enable}alias WEIGHT4 = {weight};\nconst HIDDEN4 = {}u;\nconst EPSILON = f32({:e});\nconst FORMAT = {}u;\n",
            self.hidden / 4,
            self.epsilon,
            self.format
        )
    }

    pub(super) fn embed(self) -> String {
        self.header() + COMMON + STORED + include_str!("embed.wgsl")
    }

    pub(super) fn load(self) -> String {
        self.header() + STORED + include_str!("load.wgsl")
    }

    pub(super) fn norm(self) -> String {
        self.header() + COMMON + include_str!("norm.wgsl")
    }

    pub(super) fn head(self) -> String {
        self.header() + COMMON + include_str!("head.wgsl")
    }

    pub(super) fn mean(self) -> String {
        self.header() + COMMON + include_str!("mean.wgsl")
    }

    pub(super) fn max_sim(self) -> String {
        self.header() + COMMON + include_str!("max_sim.wgsl")
    }

    /// `epilogue(rows x weights + bias)`; a thread computes eight rows of eight columns.
    ///
    /// No workgroup memory: neighbours read the same rows and columns through the cache, and eight
    /// by eight sums for sixteen numbers read keep the arithmetic ahead of the reading.
    pub(super) fn product(self, epilogue: Epilogue) -> String {
        let mut text = self.header() + COMMON;
        text += "
@group(0) @binding(2) var<uniform> shape: vec4u; // inputs / 4, outputs / 4
@group(0) @binding(3) var<storage, read> left: array<vec4f>;
@group(0) @binding(4) var<storage, read> weights: array<WEIGHT4>;
@group(0) @binding(5) var<storage, read> bias: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> out: array<vec4f>;
";
        text += &match epilogue {
            Epilogue::Residual => {
                "@group(0) @binding(7) var<storage, read> residual: array<vec4f>;\n".into()
            }
            Epilogue::Gelu => gelu(),
            Epilogue::Bias | Epilogue::Tanh => String::new(),
        };
        text += "
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x * 2u;
  let row = id.y * 8u;
  if (column >= shape.y || row >= rows()) {
    return;
  }
";
        let mut line = |text_line: String| {
            text += &text_line;
            text.push('\n');
        };
        for r in 0..TILE {
            line(format!(
                "  var s{r}a = bias[column]; var s{r}b = bias[column + 1u];"
            ));
        }
        line("  for (var k = 0u; k < shape.x; k++) {".into());
        for r in 0..TILE {
            line(format!("    let l{r} = left[(row + {r}u) * shape.x + k];"));
        }
        for (i, lane) in ["x", "y", "z", "w"].into_iter().enumerate() {
            line(format!(
                "    let p{i} = (k * 4u + {i}u) * shape.y + column;"
            ));
            line(format!(
                "    let a{i} = vec4f(weights[p{i}]); let b{i} = vec4f(weights[p{i} + 1u]);"
            ));
            for r in 0..TILE {
                line(format!(
                    "    s{r}a = fma(vec4f(l{r}.{lane}), a{i}, s{r}a); s{r}b = fma(vec4f(l{r}.{lane}), b{i}, s{r}b);"
                ));
            }
        }
        line("  }".into());
        for r in 0..TILE {
            let place = format!("(row + {r}u) * shape.y + column");
            for (half, offset) in [("a", "0u"), ("b", "1u")] {
                let value = match epilogue {
                    Epilogue::Bias => format!("s{r}{half}"),
                    Epilogue::Gelu => format!("gelu(s{r}{half})"),
                    // Beyond 10 it is 1 in f32, and some drivers overflow there.
                    Epilogue::Tanh => format!("tanh(clamp(s{r}{half}, vec4f(-10.0), vec4f(10.0)))"),
                    Epilogue::Residual => format!(
                        "s{r}{half} + residual[source_row(row + {r}u) * shape.y + column + {offset}]"
                    ),
                };
                line(format!("  out[{place} + {offset}] = {value};"));
            }
        }
        text + "}\n"
    }

    /// Attention of one query over its sequence, one head; a thread for each, four keys at a time.
    pub(super) fn attention(self) -> String {
        let width4 = self.hidden / self.heads / 4;
        let scale = 1.0 / ((self.hidden / self.heads) as f64).sqrt();
        let mut text = self.header() + COMMON;
        let _ = write!(
            text,
            "
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {{
  if (id.x >= rows() || id.y >= {heads}u) {{
    return;
  }}
  let token = source_row(id.x);
  let span = input[1u + token].zw;
  let head = id.y * {width4}u;
  let query = token * HIDDEN4 * 3u + head;
  var highest = -3.0e38;
  var sum = 0.0;
",
            heads = self.heads
        );
        let mut line = |text_line: String| {
            text += &text_line;
            text.push('\n');
        };
        for i in 0..width4 {
            line(format!(
                "  let q{i} = qkv[query + {i}u] * {scale:e}; var c{i} = vec4f();"
            ));
        }
        line("  for (var first = span.x; first < span.y; first += 4u) {".into());
        // Keys past the end are the last one again, with no weight.
        line("    let place = min(vec4u(first, first + 1u, first + 2u, first + 3u), vec4u(span.y - 1u)) * (HIDDEN4 * 3u) + HIDDEN4 + head;".into());
        line("    var score = vec4f();".into());
        for lane in ["x", "y", "z", "w"] {
            let terms: Vec<String> = (0..width4)
                .map(|i| format!("dot(q{i}, qkv[place.{lane} + {i}u])"))
                .collect();
            line(format!("    score.{lane} = {};", terms.join(" + ")));
        }
        line("    score = select(vec4f(-3.0e38), score, vec4u(first, first + 1u, first + 2u, first + 3u) < vec4u(span.y));".into());
        line(
            "    let top = max(highest, max(max(score.x, score.y), max(score.z, score.w)));".into(),
        );
        line("    let keep = exp(highest - top);".into());
        line("    let weight = exp(score - top);".into());
        line("    highest = top;".into());
        line("    sum = sum * keep + weight.x + weight.y + weight.z + weight.w;".into());
        for i in 0..width4 {
            line(format!(
                "    c{i} = c{i} * keep + weight.x * qkv[place.x + HIDDEN4 + {i}u] + weight.y * qkv[place.y + HIDDEN4 + {i}u] + weight.z * qkv[place.z + HIDDEN4 + {i}u] + weight.w * qkv[place.w + HIDDEN4 + {i}u];"
            ));
        }
        line("  }".into());
        for i in 0..width4 {
            line(format!("  out[id.x * HIDDEN4 + head + {i}u] = c{i} / sum;"));
        }
        text + "}\n"
    }
}

/// The exact GELU, as `kernels/cpu/math.rs` has it.
fn gelu() -> String {
    let polynomial = |coefficients: &[f32]| {
        let (first, rest) = coefficients.split_first().unwrap_or((&0.0, &[]));
        let step = |sum: String, coefficient: &f32| format!("({sum} * s + {coefficient:e})");
        rest.iter().fold(format!("vec4f({first:e})"), step)
    };
    format!(
        "
fn gelu(x: vec4f) -> vec4f {{
  let z = clamp(x * {:e}, vec4f(-4.0), vec4f(4.0));
  let s = z * z;
  return 0.5 * x * (1.0 + z * {} / {});
}}
",
        core::f32::consts::FRAC_1_SQRT_2,
        polynomial(&ERF_ABOVE),
        polynomial(&ERF_BELOW)
    )
}
