//! Which random numbers serve what, so that no two purposes draw the same ones.

/// Initial weights; the step is the layer.
pub(super) const WEIGHTS: u32 = 0;
/// The order of the samples in an epoch.
pub(super) const SHUFFLE: u32 = 1;
/// The shares of mixup.
pub(super) const MIXUP: u32 = 2;
/// Noise and dropout of layer `i` draw from `LAYERS + i`.
pub(super) const LAYERS: u32 = 16;
