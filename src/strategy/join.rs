//! Several futures side by side on one thread: what lets LLM calls overlap in a browser.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;

enum Slot<F: Future> {
    Running(Pin<Box<F>>),
    Done(F::Output),
}

/// Runs all futures until each is done; their outputs in the order given.
pub(super) async fn join<F: Future>(futures: Vec<F>) -> Vec<F::Output>
where
    F::Output: Unpin,
{
    let mut slots: Vec<Slot<F>> = (futures.into_iter())
        .map(|future| Slot::Running(Box::pin(future)))
        .collect();
    poll_fn(|context| {
        let mut running = false;
        for slot in &mut slots {
            let Slot::Running(future) = slot else {
                continue;
            };
            match future.as_mut().poll(context) {
                Poll::Ready(output) => *slot = Slot::Done(output),
                Poll::Pending => running = true,
            }
        }
        if running {
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
    (slots.into_iter())
        .filter_map(|slot| match slot {
            Slot::Done(output) => Some(output),
            Slot::Running(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;

    use super::*;

    /// Is ready at the `n`th look, and writes down each look.
    async fn after(n: usize, name: usize, looks: &RefCell<Vec<usize>>) -> usize {
        for _ in 1..n {
            let mut yielded = false;
            poll_fn(|context| {
                looks.borrow_mut().push(name);
                context.waker().wake_by_ref();
                if core::mem::replace(&mut yielded, true) {
                    return Poll::Ready(());
                }
                Poll::Pending
            })
            .await;
        }
        name
    }

    #[test]
    fn futures_take_turns_and_outputs_keep_their_order() {
        let looks = RefCell::new(Vec::new());
        let futures = vec![
            after(3, 0, &looks),
            after(1, 1, &looks),
            after(2, 2, &looks),
        ];
        assert_eq!(pollster::block_on(join(futures)), [0, 1, 2]);
        assert_eq!(
            looks.borrow()[..2],
            [0, 2],
            "the second did not wait for the first"
        );
    }
}
