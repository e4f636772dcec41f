//! One line an hour, where there is no terminal to draw on.

use series::Timestamp;

use super::frame::Frame;
use crate::demo::record::Side;

pub(super) const HEADING: &str = "time   load      asked for  Prescale            reactive            why";

/// The line of the hour that begins at the frame's moment; `None` inside an hour.
pub(super) fn line(frame: &Frame<'_>) -> Option<String> {
    if !begins_an_hour(frame.now) {
        return None;
    }
    let moment = frame.record.moments.last()?;
    let side = |side: Side, scores: Option<simulator::Scores>| {
        let tick = moment.of(side);
        let short = scores.map_or(0.0, |scores| scores.short.as_secs_f64() / 60.0);
        format!("{:>3}+{:<2} short {short:>4.1} min", tick.ready, tick.starting)
    };
    let (asked, why) = match frame.plan {
        Ok(plan) => (format!("{:.0}", plan.value.get()), plan.reason.to_string()),
        Err(why) => ("none".to_owned(), why.to_string()),
    };
    let (prescale, reactive) = (side(Side::Prescale, frame.prescale), side(Side::Reactive, frame.reactive));
    let clock = frame.now.strftime("%H:%M");
    Some(format!("{clock}  {:>4.0}      {asked:>6}     {prescale}  {reactive}  {why}", frame.load.get()))
}

fn begins_an_hour(now: Timestamp) -> bool {
    now.as_second().rem_euclid(3600) == 0
}
