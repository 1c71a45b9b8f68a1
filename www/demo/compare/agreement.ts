// How far two rankings of the same things agree: Kendall's tau (1 the same order, -1 the reverse), and how many of the first k they share.
export function agreement(left: readonly string[], right: readonly string[], k: number): { tau: number; shared: number } {
  const places = new Map(right.map((id, place) => [id, place]));
  const order = left.flatMap((id) => places.get(id) ?? []);
  let [agree, disagree] = [0, 0];
  for (const [place, one] of order.entries()) {
    for (const other of order.slice(place + 1)) {
      if (one < other) agree += 1;
      else disagree += 1;
    }
  }
  const pairs = agree + disagree;
  const best = new Set(right.slice(0, k));
  return { tau: pairs === 0 ? 1 : (agree - disagree) / pairs, shared: left.slice(0, k).filter((id) => best.has(id)).length };
}
