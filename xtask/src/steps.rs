//! Runs named steps one after the other. A failed step stops only the steps that need it, which count as failed too, so one
//! run tells everything. Ends with a table and a line that counts every step.

use std::time::{Duration, Instant};

use anyhow::Result;

type Work<'a> = Box<dyn Fn() -> Result<()> + 'a>;

pub(crate) struct Step<'a> {
    name: &'static str,
    /// Names of earlier steps.
    needs: &'static [&'static str],
    work: Work<'a>,
}

pub(crate) fn step<'a>(
    name: &'static str,
    needs: &'static [&'static str],
    work: impl Fn() -> Result<()> + 'a,
) -> Step<'a> {
    Step {
        name,
        needs,
        work: Box::new(work),
    }
}

enum Outcome {
    Passed,
    Failed(String),
    /// Not run: a step it needs did not pass.
    Blocked(&'static str),
}

struct Done {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Runs all steps and says whether all passed. The counts are the last line of the output.
pub(crate) fn run_all(steps: &[Step<'_>]) -> bool {
    let done = execute(steps);
    let (text, failed) = report(&done);
    println!("\n{text}");
    failed == 0
}

fn execute(steps: &[Step<'_>]) -> Vec<Done> {
    let mut done: Vec<Done> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        println!("\n[{}/{}] {}", number + 1, steps.len(), step.name);
        // A need that no earlier step has is a mistake in the plan; it blocks, so it is seen.
        let passed = |need: &str| {
            done.iter()
                .any(|done| done.name == need && matches!(done.outcome, Outcome::Passed))
        };
        let started = Instant::now();
        let outcome = match step.needs.iter().find(|need| !passed(need)) {
            Some(need) => Outcome::Blocked(need),
            None => (step.work)().map_or_else(
                |error| Outcome::Failed(format!("{error:#}")),
                |()| Outcome::Passed,
            ),
        };
        let took = started.elapsed();
        match &outcome {
            Outcome::Passed => println!(
                "[{}/{}] {}: {:.1} s",
                number + 1,
                steps.len(),
                step.name,
                took.as_secs_f64()
            ),
            Outcome::Failed(why) => println!(
                "[{}/{}] {}: FAILED: {why}",
                number + 1,
                steps.len(),
                step.name
            ),
            Outcome::Blocked(need) => println!(
                "[{}/{}] {}: not run, it needs \"{need}\"",
                number + 1,
                steps.len(),
                step.name
            ),
        }
        done.push(Done {
            name: step.name,
            outcome,
            took,
        });
    }
    done
}

/// The table, the errors again, and the counts; and how many failed.
fn report(done: &[Done]) -> (String, usize) {
    let mut lines = vec![format!("{:<34} {:>8}  result", "step", "seconds")];
    let mut errors = Vec::new();
    for Done {
        name,
        outcome,
        took,
    } in done
    {
        let result = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed(why) => {
                errors.push(format!("{name}: {why}"));
                "FAILED".to_owned()
            }
            Outcome::Blocked(need) => format!("FAILED (not run: needs \"{need}\")"),
        };
        lines.push(format!("{name:<34} {:>8.1}  {result}", took.as_secs_f64()));
    }
    let total: Duration = done.iter().map(|done| done.took).sum();
    lines.push(format!("{:<34} {:>8.1}", "all", total.as_secs_f64()));
    lines.extend(errors);
    let passed = done
        .iter()
        .filter(|done| matches!(done.outcome, Outcome::Passed))
        .count();
    let failed = done.len() - passed;
    lines.push(format!("{passed} passed, {failed} failed"));
    (lines.join("\n"), failed)
}

/// Mistakes in a plan: a name used twice, or a need that no earlier step has.
#[cfg(test)]
pub(crate) fn mistakes(steps: &[Step<'_>]) -> Vec<String> {
    let earlier = |index: usize, name: &str| steps[..index].iter().any(|step| step.name == name);
    let mut mistakes = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let twice = earlier(index, step.name).then_some(step.name);
        let unknown = step
            .needs
            .iter()
            .copied()
            .filter(|need| !earlier(index, need));
        mistakes.extend(
            twice
                .into_iter()
                .chain(unknown)
                .map(|name| format!("{}: {name}", step.name)),
        );
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;
    use std::cell::RefCell;

    #[test]
    fn a_failure_blocks_what_needs_it_and_nothing_else() {
        let ran = RefCell::new(Vec::new());
        let note = |name: &'static str| {
            ran.borrow_mut().push(name);
            Ok(())
        };
        let steps = [
            step("a", &[], || bail!("broken pipe in a")),
            step("needs a", &["a"], || note("needs a")),
            step("needs that", &["needs a"], || note("needs that")),
            step("independent", &[], || note("independent")),
        ];
        let done = execute(&steps);
        assert_eq!(*ran.borrow(), ["independent"]);
        let (text, failed) = report(&done);
        assert_eq!(failed, 3);
        assert!(text.contains("a: broken pipe in a"), "{text}");
        assert!(
            text.contains("FAILED (not run: needs \"needs a\")"),
            "{text}"
        );
        assert!(text.ends_with("\n1 passed, 3 failed"), "{text}");
        drop(done);
        assert!(!run_all(&steps));
    }

    #[test]
    fn all_passed_is_success() {
        let steps = [step("a", &[], || Ok(())), step("b", &["a"], || Ok(()))];
        assert!(report(&execute(&steps)).0.ends_with("\n2 passed, 0 failed"));
        assert!(run_all(&steps));
    }

    #[test]
    fn a_need_that_comes_later_is_a_mistake() {
        let steps = [
            step("a", &["b"], || Ok(())),
            step("b", &[], || Ok(())),
            step("b", &[], || Ok(())),
        ];
        assert_eq!(mistakes(&steps), ["a: b", "b: b"]);
    }
}
