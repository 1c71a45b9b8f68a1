//! Groupwise: scores for all documents of a group in one question; groups are random, independent
//! and may run side by side; with several shuffles each document's scores are averaged.
//!
//! GroupRank (arXiv:2511.11653), where random groups beat groups in rank order.
//! Cost: shuffles x ceil(n / size) judgements.

use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::at_least_1;
use super::question::Question;
use super::session::{Answer, Session, Verdict};
use crate::error::Error;
use crate::random::Random;

/// Scores by groups. A judge in the LLM's place must give numbers that mean the same in all groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Groupwise {
    /// Documents of a group at most, from 1; groups of a shuffle differ by one at most.
    pub size: usize,
    /// How often every document is scored, from 1.
    pub shuffles: usize,
    /// Decides who meets whom.
    pub seed: u64,
}

impl Default for Groupwise {
    fn default() -> Self {
        Self {
            size: 20,
            shuffles: 1,
            seed: 0,
        }
    }
}

/// `n` positions in random groups of at most `size`.
pub(super) fn random_groups(n: usize, size: usize, random: &mut Random) -> Vec<Vec<usize>> {
    let shuffled = random.permutation(n);
    let groups = n.div_ceil(size);
    (0..groups)
        .map(|group| shuffled[n * group / groups..n * (group + 1) / groups].to_vec())
        .collect()
}

impl Plan for Groupwise {
    fn describe(&self) -> Description {
        Description {
            name: "groupwise",
            family: Family::Groupwise,
            summary: "scores random groups and averages several shuffles",
            cost: "shuffles x ceil(n / size) judgements",
            needs: &[Need::Listwise],
            options: &["size", "shuffles", "seed"],
            paper: "arXiv:2511.11653",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::judgements(self.shuffles * n.div_ceil(self.size))
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "size" => assign(&mut self.size, option, value),
            "shuffles" => assign(&mut self.shuffles, option, value),
            "seed" => assign(&mut self.seed, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.size", self.size)?;
        at_least_1("strategy.shuffles", self.shuffles)
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let n = session.len();
        let mut random = Random::new(self.seed);
        let groups: Vec<Vec<usize>> = (0..self.shuffles)
            .flat_map(|_| random_groups(n, self.size, &mut random))
            .collect();
        let answers = session.ask(Question::Grades, &groups).await?;
        Ok(Verdict::Scores(means(n, &groups, &answers)))
    }
}

/// The mean of each position's numbers, where it has any.
pub(super) fn means(n: usize, groups: &[Vec<usize>], answers: &[Answer]) -> Vec<Option<f32>> {
    let mut sums = vec![(0.0_f32, 0_usize); n];
    for (group, answer) in groups.iter().zip(answers) {
        let Answer::Numbers(numbers) = answer else {
            continue;
        };
        for (&position, number) in group.iter().zip(numbers) {
            if let Some(number) = number {
                sums[position].0 += number;
                sums[position].1 += 1;
            }
        }
    }
    (sums.into_iter())
        .map(|(sum, count)| (count > 0).then(|| sum / count as f32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_even_and_hold_everyone_once() {
        for (n, size, sizes) in [(21, 20, vec![10, 11]), (20, 20, vec![20]), (0, 20, vec![])] {
            let groups = random_groups(n, size, &mut Random::new(3));
            assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
            let mut all = groups.concat();
            all.sort_unstable();
            assert_eq!(all, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_document_keeps_the_mean_of_the_numbers_it_got() {
        let groups = [vec![0, 1], vec![1, 2], vec![2, 0]];
        let answers = [
            Answer::Numbers(vec![Some(2.0), None]),
            Answer::Unusable,
            Answer::Numbers(vec![Some(1.0), Some(5.0)]),
        ];
        assert_eq!(means(3, &groups, &answers), [Some(3.5), None, Some(1.0)]);
    }
}
