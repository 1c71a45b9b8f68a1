// A linear layer's weights [out, in] as the file has them to [in, out] as the products read them;
// a thread for four inputs of four outputs.

@group(0) @binding(0) var<uniform> shape: vec4u; // inputs, outputs
@group(0) @binding(1) var<storage, read> words: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read_write> weights: array<WEIGHT4>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let input = id.x * 4u;
  let output = id.y * 4u;
  if (input >= shape.x || output >= shape.y) {
    return;
  }
  var rows: array<vec4f, 4>;
  for (var i = 0u; i < 4u; i++) {
    rows[i] = read_four((output + i) * shape.x + input) * scale_of(output + i);
  }
  let turned = transpose(mat4x4f(rows[0], rows[1], rows[2], rows[3]));
  for (var i = 0u; i < 4u; i++) {
    weights[(input + i) * (shape.y / 4u) + id.y] = WEIGHT4(turned[i]);
  }
}
