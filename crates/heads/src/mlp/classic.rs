//! The presets of earlier defaults: `classic`, the final network of the notebook on standardised features, and `notebook`, as it was
//! in there. Files and studies that were made with them stay as they are, so nothing here changes.

use super::params::{CONSTANT, METRIC};
use crate::params::{Default, Preset, PresetStudy, Search};

/// The defaults of the first version.
pub(super) const PRESET: Preset = Preset { name: "classic", values: &[CLASSIC], study: Some(&STUDY) };

/// The network as it was first trained.
pub(super) const NOTEBOOK: Preset = Preset {
    name: "notebook",
    values: &[CLASSIC, &[("scale", Default::Text("divide:10")), ("lr", Default::Float(1e-3))]],
    study: Some(&STUDY),
};

const CLASSIC: &[(&str, Default)] = &[
    ("neurons0", Default::Int(642)),
    ("neurons1", Default::Int(434)),
    ("neurons2", Default::Int(38)),
    ("layers1", Default::Int(0)),
    ("layers2", Default::Int(3)),
    ("layer_norms", Default::Int(0)),
    ("dropout", Default::Float(0.73423)),
    ("noise", Default::Int(1)),
    ("lr", Default::Float(0.001_226_1)),
    ("batch_size", Default::Int(963)),
    ("epochs", Default::Int(500)),
    ("patience", Default::Int(50)),
    ("plateau_factor", Default::Float(0.3)),
    ("plateau_patience", Default::Int(10)),
    ("plateau_min_delta", Default::Float(1e-4)),
    ("plateau_cooldown", Default::Int(0)),
    ("min_lr", Default::Float(1e-10)),
    ("input_noise", Default::Float(0.0)),
    ("hidden_dropout", Default::Float(0.0)),
    ("mixup", Default::Float(0.0)),
    ("label_smoothing", Default::Float(0.0)),
    ("weight_decay", Default::Float(0.0)),
    ("ema_momentum", Default::Float(0.0)),
    ("lr_schedule", Default::Text(CONSTANT)),
    ("warmup_epochs", Default::Float(0.0)),
    ("monitor", Default::Text(METRIC)),
    ("calibration", Default::Text("none")),
    ("class_weight", Default::Text("none")),
    ("scale", Default::Text("standardise")),
];

static STUDY: PresetStudy = PresetStudy {
    space: &[
        ("neurons0", WIDTHS),
        ("neurons1", WIDTHS),
        ("neurons2", WIDTHS),
        ("layers1", DEPTHS),
        ("layers2", DEPTHS),
        ("layer_norms", Search::Int { low: 0, high: 2, log: false }),
        ("dropout", Search::Float { low: 0.0, high: 0.9, log: false }),
        ("noise", Search::Int { low: 0, high: 1, log: false }),
        ("lr", Search::Float { low: 1e-7, high: 1e-1, log: true }),
        ("batch_size", Search::Int { low: 8, high: 1024, log: false }),
    ],
    trial: &[("epochs", Default::Int(100)), ("patience", Default::Int(20))],
    portfolio: PORTFOLIO,
};

const WIDTHS: Search = Search::Int { low: 16, high: 2048, log: true };
const DEPTHS: Search = Search::Int { low: 0, high: 3, log: false };

/// Twelve candidates, wide and shallow with much dropout, were trained for 40 epochs on the sentences of `examples/sentences`;
/// these are the eight that reached a validation weighted F1 of .628 and more (the best of 16 drawn at random: .625), the
/// cheap ones first. `docs/measurements.md` shows what they are worth on another table.
pub(super) const PORTFOLIO: &[&[(&str, Default)]] = &[
    &one_layer(256, 0.8, 1e-3, 256, 1),
    &one_layer(150, 0.6, 2e-3, 200, 1),
    &one_layer(2048, 0.9, 3e-4, 256, 0),
    &one_layer(1500, 0.9, 1e-3, 1000, 1),
    &[
        ("neurons0", Default::Int(400)),
        ("neurons1", Default::Int(200)),
        ("layers1", Default::Int(1)),
        ("layers2", Default::Int(0)),
        ("layer_norms", Default::Int(0)),
        ("dropout", Default::Float(0.8)),
        ("noise", Default::Int(1)),
        ("lr", Default::Float(5e-4)),
        ("batch_size", Default::Int(512)),
    ],
    &one_layer(1024, 0.9, 2e-3, 1000, 1),
    &[
        ("neurons0", Default::Int(512)),
        ("layers1", Default::Int(0)),
        ("layers2", Default::Int(0)),
        ("layer_norms", Default::Int(2)),
        ("dropout", Default::Float(0.8)),
        ("noise", Default::Int(1)),
        ("lr", Default::Float(5e-4)),
        ("batch_size", Default::Int(512)),
    ],
    &one_layer(642, 0.73, 1e-3, 963, 1),
];

/// A network of one hidden layer, without normalisation.
const fn one_layer(
    width: i64,
    dropout: f64,
    lr: f64,
    batch_size: i64,
    noise: i64,
) -> [(&'static str, Default); 8] {
    [
        ("neurons0", Default::Int(width)),
        ("layers1", Default::Int(0)),
        ("layers2", Default::Int(0)),
        ("layer_norms", Default::Int(0)),
        ("dropout", Default::Float(dropout)),
        ("noise", Default::Int(noise)),
        ("lr", Default::Float(lr)),
        ("batch_size", Default::Int(batch_size)),
    ]
}

#[cfg(test)]
mod tests {
    use crate::mlp::TABLE;

    /// A parameter that is new belongs to the presets, too: at the value that does what was done before.
    #[test]
    fn the_presets_name_every_parameter() {
        for preset in TABLE.presets {
            for param in TABLE.params {
                let value = preset.values().filter(|(name, _)| *name == param.name).last();
                let (name, value) = value.unwrap_or_else(|| panic!("{} lacks {}", preset.name, param.name));
                param.check(value.clone()).unwrap();
                let added = TABLE.added.iter().find(|added| added.name == name);
                assert!(added.is_none_or(|added| added.before.value() == value), "{name}");
            }
        }
    }
}
