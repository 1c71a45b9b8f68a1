// Layer norm in place; a thread a row.

@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> states: array<vec4f>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= rows()) {
    return;
  }
  let start = id.x * HIDDEN4;
  var sum = vec4f();
  for (var i = 0u; i < HIDDEN4; i++) {
    sum += states[start + i];
  }
  let mean = dot(sum, vec4f(1.0 / f32(HIDDEN4 * 4u)));
  var squares = vec4f();
  for (var i = 0u; i < HIDDEN4; i++) {
    let difference = states[start + i] - mean;
    squares += difference * difference;
  }
  let scale = inverseSqrt(dot(squares, vec4f(1.0 / f32(HIDDEN4 * 4u))) + EPSILON);
  for (var i = 0u; i < HIDDEN4; i++) {
    states[start + i] = (states[start + i] - mean) * scale * weight[i] + bias[i];
  }
}
