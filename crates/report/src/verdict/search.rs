//! The search over heads as text: which model it found, how sure its score is, and the cost of a simpler one.

use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::Difference;

use super::Tone;
use headsmith_heads::params::TRANSFORM;

use crate::facts::Facts;
use crate::schema::{AutoReport, CandidateReport, Comparison, DistilledScore, SimplerReport};
use crate::text::{
    capital, counted, duration, listed, score, short_time, signed, size, thousands, with_article,
};

/// The steps of the run that are the search, for a list of what was done.
pub(super) fn steps(facts: &Facts) -> Vec<String> {
    let Some(auto) = &facts.report.auto else { return Vec::new() };
    let tried =
        format!("tried {} in {}", counted(auto.candidates.len(), "candidate"), duration(auto.search_seconds));
    let fitted = facts.chosen().filter(|_| auto.has_ended()).map(|chosen| {
        format!("fitted {} on {}", with_article(chosen.title()), counted(auto.n_fitted, "row"))
    });
    std::iter::once(tried).chain(fitted).collect()
}

/// The model of a search in sentences: its members, calibration, decision and cost. `None` before there is one.
pub(crate) fn model(facts: &Facts) -> Option<String> {
    let auto = facts.report.auto.as_ref().filter(|auto| auto.has_ended())?;
    let members = auto.members();
    let made = match &members[..] {
        [] => return None,
        [(_, only)] => format!("The model is {}.", with_article(&named(only))),
        several => {
            let member = |(_, member): &(usize, &CandidateReport)| {
                format!("{} with weight {:.2}", named(member), member.weight)
            };
            let several: Vec<String> = several.iter().map(member).collect();
            format!("The model is a pool of {}: {}.", counted(several.len(), "head"), listed(&several))
        }
    };
    let calibration = match auto.calibration.as_str() {
        "" | "identity" => {
            "Its probabilities are left as they are: no further calibration made them better by more than a standard error.".to_owned()
        }
        form => format!("Its probabilities are calibrated ({form})."),
    };
    let decision = match auto.has_decision() {
        true => format!("Its classes are decided for {}, not for the greatest probability.", facts.metric()),
        false => "It predicts the most probable class.".to_owned(),
    };
    let cost = format!(
        "It was fitted on {}; its file has about {}, and a prediction takes about {} a row.",
        counted(auto.n_fitted, "row"),
        size(auto.n_bytes),
        short_time(auto.predict_seconds)
    );
    Some([made, calibration, decision, cost].join(" "))
}

/// The name of a candidate in text, with the words that tell it from others with the same head.
fn named(candidate: &CandidateReport) -> String {
    let params = candidate.telling_params().into_iter().filter(|(name, _)| *name != TRANSFORM);
    let values: Vec<&str> = params.filter_map(|(_, value)| value.as_str()).collect();
    match values.is_empty() {
        true => candidate.title.clone(),
        false => format!("{} ({})", candidate.title, values.join(", ")),
    }
}

/// The rows that scored the candidates, and why they may be trusted or not.
pub(crate) fn scored_on(auto: &AutoReport) -> String {
    if auto.is_chosen_on_val {
        return format!(
            "Scores are on {}, which also chose the members, the calibration and the decision: they are optimistic.",
            counted(auto.n_rows, "validation row")
        );
    }
    format!(
        "Scores are on {}, each predicted by fits without it: in closed form where a head has one, in {} elsewhere.",
        counted(auto.n_rows, "training row"),
        counted(auto.n_folds, "fold")
    )
}

/// Why the score of the model on out-of-fold rows may be trusted. `None` without such rows.
pub(super) fn out_of_fold(facts: &Facts) -> Option<String> {
    let auto = facts.report.auto.as_ref()?;
    let chosen = facts.chosen()?;
    chosen.out_of_fold.as_ref().filter(|of| of.used_for.is_empty())?;
    let chosen = match auto.members().len() {
        1 => {
            "the calibration was chosen without it, too: the score is that of the whole search, but for the choice of this head among others"
        }
        _ => {
            "the members, their weights and the calibration were chosen without it, too: the score is that of the whole search"
        }
    };
    let rows = counted(auto.n_rows, "training row");
    Some(format!("Each of the {rows} was predicted by fits without it, and {chosen}."))
}

/// How the rows that judged the model were used after that.
pub(super) fn learnt_later(facts: &Facts) -> Option<String> {
    let auto = facts.report.auto.as_ref().filter(|auto| auto.has_ended())?;
    let val = facts.chosen()?.val.as_ref()?;
    (auto.n_fitted > auto.n_rows && !auto.is_chosen_on_val).then(|| {
        format!(
            "A model of the training rows alone was scored on the {}; the final model then learnt from them, too: {} in all.",
            counted(val.scores.n_samples, "validation row"),
            counted(auto.n_fitted, "row")
        )
    })
}

/// The model against the first candidate and the best other one.
pub(super) fn comparisons(facts: &Facts) -> Vec<(Tone, String)> {
    let Some(auto) = &facts.report.auto else { return Vec::new() };
    let beside = against(auto).into_iter();
    let metric = facts.metric();
    let compared = |(which, comparison): (&str, &Comparison)| {
        let names =
            [format!("model ({})", comparison.candidate), format!("{which} ({})", comparison.baseline)];
        super::compared(metric, &names, comparison)
    };
    beside.map(compared).collect()
}

/// The candidates that the model was compared with, by what they are.
pub(crate) fn against(auto: &AutoReport) -> Vec<(&'static str, &Comparison)> {
    match (&auto.against_first, &auto.against_runner_up) {
        (Some(first), Some(best)) if first == best => {
            vec![("candidate that was the first, and the best by log loss", first)]
        }
        (first, best) => {
            let first = first.iter().map(|first| ("first candidate", first));
            first.chain(best.iter().map(|best| ("best other candidate by log loss", best))).collect()
        }
    }
}

/// The cost of a simpler model in sentences. `None` before the search has ended.
pub(crate) fn simpler(facts: &Facts) -> Option<(Tone, String)> {
    let auto = facts.report.auto.as_ref().filter(|auto| auto.has_ended())?;
    let Some(simpler) = &auto.simpler else {
        return Some((Tone::Note, "No candidate is simpler than the model.".to_owned()));
    };
    let candidate = auto.candidates.get(simpler.candidate)?;
    let cost = cost(facts.metric(), simpler);
    if simpler.is_taken {
        let taken = format!(
            "The model is {}, the simpler one that --prefer simple asks for: it is not significantly worse than the best model, {cost}.",
            with_article(&named(candidate))
        );
        return Some((Tone::Note, taken));
    }
    let verdict = match simpler.is_as_good {
        true => "not significantly worse; --prefer simple selects it",
        false => "significantly worse",
    };
    Some((
        Tone::Note,
        format!(
            "{} would be a simpler model: {} instead of {}, {} a row instead of {}; {cost}: {verdict}.",
            capital(&with_article(&named(candidate))),
            size(candidate.n_bytes),
            size(auto.n_bytes),
            short_time(candidate.predict_seconds),
            short_time(auto.predict_seconds)
        ),
    ))
}

/// The small head that the model was distilled to, in sentences; `None` if none was.
pub(crate) fn distilled(facts: &Facts) -> Option<String> {
    let auto = facts.report.auto.as_ref()?;
    let (metric, of) = (facts.metric(), auto.distilled.as_ref()?);
    let rows = match of.is_judged_on_val {
        true => "validation rows",
        false => "training rows that none of them had learnt from",
    };
    let scores = |of: DistilledScore| match metric {
        Metric::LogLoss => format!("log loss {}", score(of.log_loss)),
        _ => format!("{metric} {}, log loss {}", score(of.score), score(of.log_loss)),
    };
    let against = of.against_plain.as_ref().map_or(String::new(), |difference| {
        let Difference { observed, low, high, .. } = *difference.by_metric.get(Metric::LogLoss);
        format!(
            " (log loss {}, 95% interval {} to {}, paired bootstrap)",
            signed(observed),
            signed(low),
            signed(high)
        )
    });
    let taken = match of.is_student {
        true => "The file has the one that learnt from the model",
        false => "The file has the one that learnt from the labels, which was the better",
    };
    Some(format!(
        "The model was distilled to {} ({}): {} instead of {}, {} a row instead of {}. On {} {rows} the model had {}; the head that learnt from it {}; the same head that learnt from \
         the labels {}{against}. {taken}, fitted on {} rows.",
        with_article(&of.title),
        of.file,
        size(of.n_bytes),
        size(auto.n_bytes),
        short_time(of.predict_seconds),
        short_time(auto.predict_seconds),
        of.n_judged,
        scores(of.teacher),
        scores(of.student),
        scores(of.plain),
        of.n_fitted
    ))
}

/// By how much the simpler model is worse.
fn cost(metric: Metric, simpler: &SimplerReport) -> String {
    let Some(difference) = &simpler.difference else { return "its cost in score is not known".to_owned() };
    let Difference { observed, low, high, .. } = *difference.by_metric.get(metric);
    format!(
        "its {metric} differs by {} (95% interval {} to {}, paired bootstrap on the same rows)",
        signed(-observed),
        signed(-high),
        signed(-low)
    )
}

/// The best candidate of a search that did not end.
pub(crate) fn best_so_far(facts: &Facts) -> Option<String> {
    let auto = facts.report.auto.as_ref()?;
    let metric = facts.metric();
    let best = auto.best_so_far(|a, b| metric.is_better(a.score, b.score));
    let best = &auto.candidates[*best.last()?];
    Some(format!(
        "The best of {} so far is {}: {metric} {}, log loss {}, out of fold.",
        thousands(auto.candidates.len()),
        with_article(&named(best)),
        score(best.score),
        score(best.log_loss)
    ))
}
