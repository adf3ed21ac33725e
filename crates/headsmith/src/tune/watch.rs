//! The messages of trials to the view: figures of each epoch, and the weights where the view wants them. They are
//! counted in the trial's own thread, so that the view only writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use headsmith_heads::EpochRecord;
use headsmith_heads::network::NetworkWeights;

use super::messages::Message;
use crate::progress::{NetworkLayers, TrialEpoch};
use crate::tensorboard::{histograms, is_due};

/// Epochs that may wait for the view with their histograms, of some 10 kB each: one that falls further behind gets none.
const MAX_WAITING: usize = 2048;

/// The trials' end of the line to the view.
#[derive(Debug)]
pub(super) struct Watch {
    messages: Sender<Message>,
    /// Every how many epochs the view wants histograms; 0: never.
    every: usize,
    waiting: Arc<AtomicUsize>,
    left_out: AtomicUsize,
}

impl Watch {
    /// The receiver counts `waiting` down.
    pub(super) fn new(messages: Sender<Message>, every: usize, waiting: Arc<AtomicUsize>) -> Watch {
        Watch { messages, every, waiting, left_out: AtomicUsize::new(0) }
    }

    /// Sends an epoch of a trial, after which its network was `network`, if its head is one.
    pub(super) fn epoch(
        &self,
        number: u64,
        network: Option<&(dyn NetworkWeights + '_)>,
        record: &EpochRecord,
    ) {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let is_due = network.is_some() && is_due(record.epoch, self.every);
        let fits = waiting < MAX_WAITING;
        if is_due && !fits {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        let epoch = TrialEpoch {
            number,
            network: network.map(NetworkLayers::of),
            record: record.clone(),
            histograms: match network {
                Some(network) if is_due && fits => histograms(network),
                _ => Vec::new(),
            },
        };
        // The receiver is gone only if the view has panicked.
        drop(self.messages.send(Message::Epoch(Box::new(epoch))));
    }

    /// A warning about histograms that the view did not get.
    pub(super) fn missed(&self) -> Option<String> {
        let n_epochs = self.left_out.load(Ordering::Relaxed);
        (n_epochs > 0).then(|| {
            format!(
                "the histograms of {n_epochs} epochs were left out: writing them took longer than training; \
                 --tensorboard-histograms 10 writes those of every tenth epoch"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use headsmith_heads::Samples;
    use headsmith_heads::mlp::{TABLE, Trainer};
    use headsmith_kernels::{MatRef, Pool};

    use super::*;

    #[test]
    fn epochs_that_nobody_takes_have_no_histograms_in_the_end_and_that_is_said() {
        let (x, y) = ([0.0, 1.0, 1.0, 0.0], [0, 1]);
        let params = TABLE.resolve([("neurons0", 2.into())]).unwrap();
        let (samples, pool) = (Samples::new(MatRef::new(&x, 2, 2), &y, 2).unwrap(), Pool::inline());
        let mut trainer = Trainer::new(samples, None, &params, 1, 0, &pool).unwrap();
        let mut record = trainer.step_epoch().unwrap();
        let (sender, received) = std::sync::mpsc::channel();
        let watch = Watch::new(sender, 2, Arc::default());
        for epoch in 0..MAX_WAITING + 6 {
            assert_eq!(watch.missed().is_some(), epoch > MAX_WAITING);
            record.epoch = epoch;
            watch.epoch(0, Some(&trainer.weights()), &record);
        }
        assert!(watch.missed().unwrap().contains("of 3 epochs"));
        drop(watch);
        for (epoch, message) in received.into_iter().enumerate() {
            let Message::Epoch(told) = message else { panic!("another message") };
            let expected = epoch < MAX_WAITING && epoch % 2 == 0;
            assert_eq!((told.record.epoch, !told.histograms.is_empty()), (epoch, expected));
        }
    }
}
