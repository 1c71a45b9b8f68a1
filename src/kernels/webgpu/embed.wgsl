// Word, position and segment embeddings, added; a thread for four columns of a token.

@group(0) @binding(2) var<storage, read> words: array<u32>;
@group(0) @binding(3) var<storage, read> scales: array<f32>;
@group(0) @binding(4) var<storage, read> positions: array<vec4f>;
@group(0) @binding(5) var<storage, read> segments: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> states: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = group.y;
  let column = group.x * 64u + local.x;
  if (column >= HIDDEN4 || row >= rows()) {
    return;
  }
  let token = input[1u + row];
  let id = token.x & 0xffffffu;
  let word = read_four(id * HIDDEN4 * 4u + column * 4u) * scale_of(id);
  states[row * HIDDEN4 + column] =
    word + positions[token.y * HIDDEN4 + column] + segments[(token.x >> 24u) * HIDDEN4 + column];
}
