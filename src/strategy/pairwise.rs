//! Pairwise (PRP): which of two documents is better, asked in both orders; answers that contradict
//! each other make a tie and count as a conflict.
//!
//! Qin et al. 2023 (arXiv:2306.17563). Cost in judgements, halved by [`Orders::One`]: all-pair
//! n(n-1); heapsort at most 4 (n + (k-1) log2 n); sliding k(2n-k-1), which is k bubble passes from
//! the bottom, each one pair shorter than the last since its winner is settled.

use super::heap;
use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::at_least_1;
use super::question::Question;
use super::session::{Answer, Session, Verdict};
use crate::error::Error;

/// Pairwise ranking. A tie goes to the first stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pairwise {
    /// Which pairs are asked about.
    pub pairs: Pairs,
    /// Places to settle, from 1, fewer when the task returns fewer; the rest stays in first-stage
    /// order. All-pair settles all.
    pub k: usize,
    /// In which orders a pair is shown. As option: `orders`, 1 or 2.
    pub orders: Orders,
}

/// Which pairs are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Every pair; a point for a win, half a point for a tie.
    All,
    /// As a binary heap needs.
    Heap,
    /// Neighbours, from the bottom to the top, once for each place.
    Sliding,
}

/// In which orders a pair is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orders {
    /// One after the other; what the judge owes to position shows as a conflict.
    Both,
    /// As they come: half the cost, and position decides unseen.
    One,
}

enum Duel {
    First,
    Second,
    Tie,
    Spent,
}

impl Pairwise {
    /// `pairs` with 10 places and both orders.
    #[must_use]
    pub const fn new(pairs: Pairs) -> Self {
        Self {
            pairs,
            k: 10,
            orders: Orders::Both,
        }
    }

    fn judgements_a_duel(&self) -> usize {
        match self.orders {
            Orders::Both => 2,
            Orders::One => 1,
        }
    }

    /// Asks about pairs at once; what came of each.
    async fn duels(
        &self,
        session: &mut Session<'_>,
        pairs: &[(usize, usize)],
    ) -> Result<Vec<Duel>, Error> {
        let one = self.orders == Orders::One;
        let groups: Vec<Vec<usize>> = (pairs.iter())
            .flat_map(|&(a, b)| [vec![a, b], vec![b, a]])
            .step_by(if one { 2 } else { 1 })
            .collect();
        let answers = session.ask(Question::Pair, &groups).await?;
        let duels = answers.chunks(self.judgements_a_duel()).map(|answers| {
            if answers.contains(&Answer::Spent) {
                return Duel::Spent;
            }
            let first = preference(&answers[0]);
            let Some(second) = answers.get(1) else {
                return duel(first);
            };
            let second = -preference(second);
            session.extras.pairs += 1;
            if first * second < 0 {
                session.extras.conflicts += 1;
            }
            // One order alone is no better than its position bias, so half an answer is a tie.
            let unusable = answers.contains(&Answer::Unusable);
            duel(if unusable { 0 } else { first + second })
        });
        Ok(duels.collect())
    }

    async fn all(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let n = session.len();
        let mut points = vec![0.0_f32; n];
        let mut complete = n.min(1);
        // Row by row, so that a limit leaves a top of the first stage that is wholly compared.
        for b in 1..n {
            let pairs: Vec<(usize, usize)> = (0..b).map(|a| (a, b)).collect();
            let duels = self.duels(session, &pairs).await?;
            if duels.iter().any(|duel| matches!(duel, Duel::Spent)) {
                break;
            }
            for ((a, b), duel) in pairs.into_iter().zip(duels) {
                let (of_a, of_b) = match duel {
                    Duel::First => (1.0, 0.0),
                    Duel::Second => (0.0, 1.0),
                    Duel::Tie | Duel::Spent => (0.5, 0.5),
                };
                points[a] += of_a;
                points[b] += of_b;
            }
            complete = b + 1;
        }
        let mut scores: Vec<Option<f32>> = points.into_iter().map(Some).collect();
        scores[complete..].fill(None);
        Ok(Verdict::Scores(scores))
    }

    async fn heap(&self, session: &mut Session<'_>, k: usize) -> Result<Verdict, Error> {
        let n = session.len();
        let best = async |items: &[usize]| {
            let mut winner = 0;
            for place in 1..items.len() {
                let (a, b) = (items[winner], items[place]);
                match self.duels(session, &[(a, b)]).await?.first() {
                    Some(Duel::Second) => winner = place,
                    Some(Duel::Tie) if b < a => winner = place,
                    Some(Duel::Spent) => return Ok(None),
                    _ => {}
                }
            }
            Ok(Some(winner))
        };
        heap::top(n, 2, k, best).await.map(Verdict::Order)
    }

    async fn sliding(&self, session: &mut Session<'_>, k: usize) -> Result<Verdict, Error> {
        let mut order: Vec<usize> = (0..session.len()).collect();
        for pass in 0..k {
            for lower in (pass + 1..order.len()).rev() {
                let (a, b) = (order[lower - 1], order[lower]);
                match self.duels(session, &[(a, b)]).await?.first() {
                    Some(Duel::Second) => order.swap(lower - 1, lower),
                    Some(Duel::Tie) if b < a => order.swap(lower - 1, lower),
                    Some(Duel::Spent) => return Ok(Verdict::Order(order)),
                    _ => {}
                }
            }
        }
        Ok(Verdict::Order(order))
    }
}

/// 1 for the first of the group, -1 for the second, 0 for neither.
fn preference(answer: &Answer) -> i8 {
    let Answer::Numbers(numbers) = answer else {
        return 0;
    };
    match numbers[..] {
        [Some(a), Some(b)] if a > b => 1,
        [Some(a), Some(b)] if a < b => -1,
        _ => 0,
    }
}

fn duel(balance: i8) -> Duel {
    match balance {
        1.. => Duel::First,
        0 => Duel::Tie,
        ..0 => Duel::Second,
    }
}

impl Plan for Pairwise {
    fn describe(&self) -> Description {
        let (name, summary, cost, options): (_, _, _, &[&str]) = match self.pairs {
            Pairs::All => (
                "prp-all-pair",
                "compares every pair in both orders and counts wins",
                "n (n-1) judgements",
                &["orders"],
            ),
            Pairs::Heap => (
                "prp-heapsort",
                "sorts the top k with a heap of pairwise comparisons, both orders",
                "at most 4 (n + (k-1) log2 n) judgements",
                &["k", "orders"],
            ),
            Pairs::Sliding => (
                "prp-sliding",
                "lets the best k rise by comparing neighbours from the bottom, both orders",
                "k (2n-k-1) judgements",
                &["k", "orders"],
            ),
        };
        Description {
            name,
            family: Family::Pairwise,
            summary,
            cost,
            needs: &[Need::Pairwise],
            options,
            paper: "arXiv:2306.17563",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        let k = self.k.min(n);
        let duels = match self.pairs {
            Pairs::All => n * n.saturating_sub(1) / 2,
            Pairs::Heap => 2 * heap::most_picks(n, 2, k),
            Pairs::Sliding => k * (2 * n).saturating_sub(k + 1) / 2,
        };
        Bound::judgements(duels * self.judgements_a_duel())
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match (option, value) {
            ("k", _) if self.pairs != Pairs::All => assign(&mut self.k, option, value),
            ("orders", "1" | "2") => {
                self.orders = if value == "1" {
                    Orders::One
                } else {
                    Orders::Both
                };
                Ok(true)
            }
            ("orders", _) => Err(Error::argument("strategy", "orders=1 or orders=2", value)),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.k", self.k)
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let k = session.places(self.k);
        match self.pairs {
            Pairs::All => self.all(session).await,
            Pairs::Heap => self.heap(session, k).await,
            Pairs::Sliding => self.sliding(session, k).await,
        }
    }
}
