//! The multilayer perceptron against Keras, finite differences and itself.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

mod mlp {
    mod callbacks;
    mod determinism;
    mod fit;
    mod gradients;
    mod keras;
    mod model;
    mod recipe;
    pub(crate) mod twin;
}
