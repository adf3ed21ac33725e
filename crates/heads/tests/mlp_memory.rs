//! The memory of a fit at most: the samples are the caller's, and of everything else there is a bound.

use headsmith_heads::mlp::{Architecture, TABLE, fit};
use headsmith_heads::params::Value;
use headsmith_heads::{Control, Event, Samples};
use headsmith_kernels::{Matrix, Philox, Pool};

/// At most seven vectors as long as the weights: weights, both moments, the best so far, packed copies. The activations
/// of a batch, with the features as the first of them, whose place their gradients take. Those of a validation block, whose
/// place packed copies take while a batch is learnt from. And 1 MB.
#[test]
fn a_fit_keeps_within_its_bound() {
    let (n_features, n_classes) = (512, 3);
    let mut draws = Philox::new(1, 0, 0).sequence(0, 0);
    let x = Matrix::new((0..970 * n_features).map(|_| draws.uniform() as f32).collect(), 970, n_features);
    let y: Vec<u32> = (0..970).map(|_| draws.below(n_classes as u32)).collect();
    let rows = |n: usize| Samples::new(x.view().rows(0, n), &y[..n], n_classes).unwrap();
    for (neurons, layers, layer_norms, batch_size) in [
        ([642, 434, 38], [0, 3], 0, 963),
        ([65, 52, 396], [2, 1], 1, 628),
        ([547, 1355, 32], [1, 2], 0, 64),
        ([128, 128, 64], [1, 1], 2, 16),
    ] {
        let given = [
            ("neurons0", neurons[0]),
            ("neurons1", neurons[1]),
            ("neurons2", neurons[2]),
            ("layers1", layers[0]),
            ("layers2", layers[1]),
            ("layer_norms", layer_norms),
            ("batch_size", batch_size),
            ("epochs", 1),
        ];
        let params =
            TABLE.resolve_from("classic", given.map(|(name, value)| (name, Value::Int(value)))).unwrap();
        let network = Architecture::new(n_features, n_classes, &params).unwrap();
        let activations = n_features + network.widths().sum::<usize>();
        let values = 7 * network.n_params() + (batch_size as usize + 512) * activations;
        let bound = 4 * values as u64 + (1 << 20);
        let counted = allocation_counter::measure(|| {
            let mut observer = |_: &Event| Control::Continue;
            let (train, val) = (rows(batch_size as usize + 1), rows(520));
            fit(train, Some(val), &params, 0, &Pool::inline(), &mut observer, None).unwrap();
        });
        assert!(counted.bytes_max <= bound, "{neurons:?}: {} bytes, bound {bound}", counted.bytes_max);
        assert!(counted.bytes_max > 16 * network.n_params() as u64, "the counter counts");
    }
}
