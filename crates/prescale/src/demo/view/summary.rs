//! [`summary`]: the day in a small table, and what to do next.

use std::time::Duration;

use series::Timestamp;
use simulator::Scores;

use crate::demo::hindsight::Tuned;
use crate::demo::setup::Setup;

/// How the day went, both ways.
#[derive(Debug, Clone, Copy)]
pub(in crate::demo) struct Summary<'a> {
    pub(in crate::demo) setup: &'a Setup,
    pub(in crate::demo) prescale: Scores,
    pub(in crate::demo) reactive: Scores,
    /// How long Prescale's fleet was short in the burst that nothing hints at, and when that began.
    pub(in crate::demo) short_in_burst: Duration,
    pub(in crate::demo) burst_began: Timestamp,
    /// The HPA that, tuned on this very day, is short no longer than Prescale was.
    pub(in crate::demo) tuned: Option<Tuned>,
}

/// The text that the demo ends with.
pub(in crate::demo) fn summary(day: &Summary<'_>) -> String {
    let Summary { setup, prescale, reactive, tuned, .. } = day;
    let row = |name: &str, cells: [String; 3]| format!("{name:<20}{:>17}{:>18}{:>20}\n", cells[0], cells[1], cells[2]);
    let short =
        |scores: &Scores| format!("{:.1} min ({:.2}%)", scores.short.as_secs_f64() / 60.0, scores.short_time * 100.0);
    let unmet = |scores: &Scores| format!("{} ({:.2}%)", thousands(scores.unmet), scores.unmet_share * 100.0);
    let held = |scores: &Scores| if scores.short_time <= 1.0 - setup.slo { "yes" } else { "no" }.to_owned();
    let name = setup.reactive_name();

    let mut text = format!(
        "\nA pod carries {} req/s and is Ready {} s after it is ordered.\n\
         The goal is enough Ready pods {} of the time.\n\
         {name} is a reactive HPA on the same query that keeps pods {:.0}% busy.\n\n",
        setup.threshold.get(),
        setup.start_up.as_secs(),
        setup.slo_text(),
        setup.utilization * 100.0,
    );
    text += &row("", ["Prescale".to_owned(), name, "perfect foresight".to_owned()]);
    text += &row("too few Ready pods", [short(prescale), short(reactive), "0.0 min (0.00%)".to_owned()]);
    text += &row("goal held", [held(prescale), held(reactive), "yes".to_owned()]);
    text += &row("requests not served", [unmet(prescale), unmet(reactive), "0 (0.00%)".to_owned()]);
    let pod_hours = [prescale.pod_hours, reactive.pod_hours, prescale.clairvoyant_pod_hours];
    text += &row("pod-hours", pod_hours.map(|hours| format!("{hours:.0}")));
    text += "\n";
    text += &burst_line(day);
    text += &tuned.as_ref().map_or_else(
        || "However tuned, a reactive HPA is short for longer than Prescale on this day.\n".to_owned(),
        |tuned| {
            format!(
                "Tuned in hindsight on this very day, a reactive HPA that is short no longer\n\
                 than Prescale keeps pods {:.0}% busy and costs {:.0} pod-hours.\n",
                tuned.utilization * 100.0,
                tuned.pod_hours
            )
        },
    );
    text += NEXT;
    text
}

/// How much of the shortage no forecast could have known of.
fn burst_line(day: &Summary<'_>) -> String {
    if day.short_in_burst.is_zero() {
        return String::new();
    }
    format!(
        "{:.1} of Prescale's {:.1} minutes are in the burst at {}, which nothing hints at.\n",
        day.short_in_burst.as_secs_f64() / 60.0,
        day.prescale.short.as_secs_f64() / 60.0,
        day.burst_began.strftime("%H:%M"),
    )
}

const NEXT: &str = "
What next
  prescale serve --prometheus http://localhost:9090   answers KEDA from your load
  in your trigger: `type: external`, `scalerAddress`, `leadTime`, `slo`; keep the rest
  `mode: shadow` there computes and records everything, and applies nothing
";

fn thousands(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counts_are_grouped() {
        assert_eq!([0.0, 999.0, 1000.4, 1_234_567.0].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
