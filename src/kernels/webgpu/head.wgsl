// A cross-encoder's logit: the pooled row times the classifier; a thread a sequence.

@group(0) @binding(2) var<storage, read> pooled: array<vec4f>;
@group(0) @binding(3) var<storage, read> classifier: array<vec4f>; // and the bias behind it
@group(0) @binding(4) var<storage, read_write> logits: array<f32>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= rows()) {
    return;
  }
  var sum = classifier[HIDDEN4].x;
  for (var i = 0u; i < HIDDEN4; i++) {
    sum += dot(pooled[id.x * HIDDEN4 + i], classifier[i]);
  }
  logits[id.x] = sum;
}
