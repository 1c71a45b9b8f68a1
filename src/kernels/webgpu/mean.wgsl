// A bi-encoder's mean over the tokens of a sequence; a thread for four columns of it.

@group(0) @binding(2) var<storage, read> states: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> means: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = group.x * 64u + local.x;
  if (column >= HIDDEN4 || group.y >= rows()) {
    return;
  }
  let sequence = input[1u + input[0].x + group.y];
  var sum = vec4f();
  for (var token = sequence.x; token < sequence.y; token++) {
    sum += states[token * HIDDEN4 + column];
  }
  means[group.y * HIDDEN4 + column] = sum / f32(sequence.y - sequence.x);
}
