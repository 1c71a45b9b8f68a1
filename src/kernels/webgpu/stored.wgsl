// Four numbers of a tensor as its file has them; FORMAT is 0 for int8, 1 for f32, 2 for f16.

fn read_four(index: u32) -> vec4f {
  if (FORMAT == 0u) {
    let word = words[index / 4u];
    let shifted = vec4u(word << 24u, word << 16u, word << 8u, word);
    return vec4f(bitcast<vec4i>(shifted) >> vec4u(24u));
  }
  if (FORMAT == 1u) {
    return bitcast<vec4f>(vec4u(words[index], words[index + 1u], words[index + 2u], words[index + 3u]));
  }
  return vec4f(unpack2x16float(words[index / 2u]), unpack2x16float(words[index / 2u + 1u]));
}

fn scale_of(row: u32) -> f32 {
  if (FORMAT == 0u) {
    return scales[row];
  }
  return 1.0;
}
