// Late interaction: the mean over the query's tokens of the best cosine each finds in a sequence; a workgroup a sequence.

@group(0) @binding(2) var<storage, read> states: array<vec4f>;
@group(0) @binding(3) var<storage, read> query: array<vec4f>; // tokens, of unit length
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;

var<workgroup> best: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  if (group.y >= rows()) {
    return;
  }
  let sequence = input[1u + input[0].x + group.y];
  let tokens = arrayLength(&query) / HIDDEN4;
  var sum = 0.0;
  for (var asked = 0u; asked < tokens; asked++) {
    var highest = -3.0e38;
    for (var token = sequence.x + local; token < sequence.y; token += 64u) {
      var product = 0.0;
      var square = 0.0;
      for (var i = 0u; i < HIDDEN4; i++) {
        let state = states[token * HIDDEN4 + i];
        product += dot(query[asked * HIDDEN4 + i], state);
        square += dot(state, state);
      }
      highest = max(highest, product * inverseSqrt(max(square, 1.0e-24)));
    }
    best[local] = highest;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
      if (local < half) {
        best[local] = max(best[local], best[local + half]);
      }
      workgroupBarrier();
    }
    sum += best[0];
    workgroupBarrier();
  }
  if (local == 0u) {
    scores[group.y] = sum / f32(tokens);
  }
}
