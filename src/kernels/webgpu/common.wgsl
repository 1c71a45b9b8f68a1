// What every kernel sees: the batch, and which rows the dispatch works on.

// input[0] is (tokens, sequences, 0, 0). Then one entry a token: word id with the segment in the
// highest byte, position, first and one-past-last token of its sequence. Then one entry a sequence:
// its first and one-past-last token.
@group(0) @binding(0) var<storage, read> input: array<vec4u>;
// 0: a row for every token. 1: a row a sequence, taken from its first token. 2: a row a sequence,
// rows lie one behind the other already.
@group(0) @binding(1) var<uniform> mode: u32;

fn rows() -> u32 {
  return select(input[0].y, input[0].x, mode == 0u);
}

fn source_row(row: u32) -> u32 {
  if (mode == 1u) {
    return input[1u + input[0].x + row].x;
  }
  return row;
}
