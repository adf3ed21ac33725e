//! The multilayer perceptron against Keras, finite differences and itself.

mod mlp {
    mod callbacks;
    mod determinism;
    mod fit;
    mod gradients;
    mod keras;
    mod model;
    pub(crate) mod twin;
}
