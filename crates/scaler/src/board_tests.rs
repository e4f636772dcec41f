use std::collections::HashMap;

use policy::{Mode, NoPlan, Threshold};
use series::{Load, Observation};

use super::*;
use crate::seat::Told;

fn at(seconds: i64) -> Timestamp {
    // whole minutes, so that syncs are at 0, 15, 30, …
    Timestamp::from_second(1_000_020 + seconds).unwrap()
}

fn target(name: &str) -> Target {
    let metadata: HashMap<_, _> = [("query", "sum(load)"), ("threshold", "10"), ("serverAddress", "http://p:9090")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    crate::parse_target("shop", name, &metadata, &crate::Defaults::default()).unwrap()
}

fn outlook(observed: f64, seconds: i64) -> Arc<Outlook> {
    let observation = Observation { at: at(seconds), load: Load::new(observed).unwrap() };
    Arc::new(Outlook { observation: Ok(observation), ..Outlook::first_seen(at(seconds)) })
}

fn value(seat: &Seat, seconds: i64) -> f64 {
    seat.plan(at(seconds)).unwrap().value.get()
}

#[test]
fn a_target_is_answered_from_what_was_published_for_it_alone() {
    let board = Board::default();
    let (checkout, is_new) = board.take_seat(target("checkout"), at(0)).unwrap();
    let (search, _) = board.take_seat(target("search"), at(0)).unwrap();
    assert!(is_new);
    assert_eq!(checkout.plan(at(0)), Err(NoPlan::NotYet));
    board.publish(&target("checkout").key, outlook(70.0, 0));
    assert_eq!(value(&checkout, 1), 70.0);
    assert_eq!(search.plan(at(1)), Err(NoPlan::NotYet));
    assert!(!board.take_seat(target("checkout"), at(2)).unwrap().1, "a second sight finds the first seat");
}

#[test]
fn what_keda_was_told_last_is_remembered_and_looking_does_not_count() {
    let board = Board::default();
    let (seat, _) = board.take_seat(target("checkout"), at(0)).unwrap();
    assert_eq!(board.snapshots(at(0))[0].told, None);
    assert_eq!(seat.tell(at(1)), Err(NoPlan::NotYet));
    board.publish(&seat.target().key, outlook(70.0, 2));
    let looked = board.snapshots(at(3))[0].told.clone();
    assert_eq!(looked, Some(Told { at: at(1), answer: Err(NoPlan::NotYet) }));
    let plan = seat.tell(at(4));
    assert_eq!(board.snapshots(at(5))[0].told, Some(Told { at: at(4), answer: plan }));
}

#[test]
fn what_one_board_has_learned_another_goes_on_from() {
    let (before, after) = (Board::default(), Board::default());
    let key = target("checkout").key;
    let answer = |board: &Board, seconds: i64| {
        let (seat, _) = board.take_seat(target("checkout"), at(seconds)).unwrap();
        board.publish(&key, outlook(70.0, seconds));
        seat.tell(at(seconds)).unwrap();
    };
    assert_eq!(before.memory(&key), None, "it has no seat");
    answer(&before, 0);
    let first = before.memory(&key).unwrap();
    answer(&before, 600);
    let memory = before.memory(&key).unwrap();
    assert_ne!(memory, first);

    after.remember(&key, &memory, at(610));
    let (seat, _) = after.take_seat(target("checkout"), at(610)).unwrap();
    for broken in ["", "{}", r#"{"format":99,"memory":"of tomorrow"}"#, &memory.replace("\"format\":1", "\"format\":2")]
    {
        after.remember(&key, broken, at(610));
        assert_eq!(after.memory(&key), None, "{broken}");
    }
    after.remember(&key, &memory, at(610));
    assert_eq!(after.memory(&key), Some(Arc::clone(&memory)));
    after.remember(&key, &first, at(611));
    assert_eq!(after.memory(&key), Some(memory), "that was older");
    after.publish(&key, outlook(70.0, 612));
    assert!(seat.plan(at(612)).is_ok());
}

#[test]
fn all_who_go_on_from_one_memory_tell_the_same_until_the_next_sync_whenever_they_are_asked() {
    let key = target("checkout").key;
    let boards = [Board::default(), Board::default(), Board::default()];
    for board in &boards {
        board.add(target("checkout"), at(0)).unwrap();
    }
    let [planning, early, late] = &boards;
    // each has a past of its own
    early.publish(&key, outlook(500.0, 0));
    assert_eq!(early.advance(&key, at(0)), None);
    let mut load = 100.0;
    for minute in 0..30 {
        let issued = 60 * minute + 7;
        load *= 1.03;
        planning.publish(&key, outlook(load, issued));
        let memory = planning.advance(&key, at(issued));
        assert_eq!(memory.is_some(), minute > 0);
        let Some(memory) = memory else { continue };
        for (board, lag) in [(early, 0), (late, 2)] {
            board.publish_told(&key, outlook(load, issued), &memory, at(issued + lag));
        }
        let expected = planning.snapshots(at(issued))[0].plan.clone().unwrap().value;
        for (second, board) in [(0, early), (3, late), (7, early)] {
            let told = board.seat(&key).unwrap().tell(at(issued + second)).unwrap().value;
            assert_eq!(told, expected, "minute {minute}, second {second}");
        }
    }
}

#[test]
fn a_memory_that_cannot_be_read_costs_no_outlook() {
    let board = Board::default();
    let (seat, _) = board.take_seat(target("checkout"), at(0)).unwrap();
    board.publish_told(&target("checkout").key, outlook(70.0, 0), "{", at(0));
    assert_eq!(value(&seat, 0), 70.0);
}

#[test]
fn going_live_goes_on_from_what_was_learned_in_the_shadow_and_another_load_does_not() {
    let board = Board::default();
    let with = |digest: &str, mode: Mode, threshold: f64| Target {
        key: TargetKey { digest: digest.into(), ..target("checkout").key },
        mode,
        threshold: Threshold::new(threshold).unwrap(),
        ..target("checkout")
    };
    let (shadow, _) = board.take_seat(with("a", Mode::Shadow, 10.0), at(0)).unwrap();
    board.publish(&shadow.target().key, outlook(70.0, 0));
    shadow.tell(at(0)).unwrap();
    let learned = shadow.memory().unwrap();
    let (live, _) = board.take_seat(with("b", Mode::Predict, 10.0), at(5)).unwrap();
    assert_eq!(live.memory(), Some(learned));
    let (other, _) = board.take_seat(with("c", Mode::Predict, 20.0), at(5)).unwrap();
    assert_eq!(other.memory(), None);
}

#[test]
fn between_two_syncs_and_two_outlooks_the_plan_stays_the_same() {
    let board = Board::default();
    let (seat, _) = board.take_seat(target("checkout"), at(0)).unwrap();
    board.publish(&seat.target().key, outlook(70.0, 0));
    let first = seat.plan(at(1)).unwrap();
    assert!(Arc::ptr_eq(&first, &seat.plan(at(14)).unwrap()));
    assert!(!Arc::ptr_eq(&first, &seat.plan(at(16)).unwrap()), "an HPA sync has passed");
    let second = seat.plan(at(17)).unwrap();
    board.publish(&seat.target().key, outlook(90.0, 18));
    assert!(!Arc::ptr_eq(&second, &seat.plan(at(18)).unwrap()), "an outlook has come");
}

#[test]
fn the_fleet_follows_the_values_published() {
    let board = Board::default();
    let (seat, _) = board.take_seat(target("checkout"), at(0)).unwrap();
    board.publish(&seat.target().key, outlook(100.0, 0));
    assert_eq!(value(&seat, 0), 100.0);
    // 104 needs an eleventh pod, and an HPA of ten would not hear of it
    board.publish(&seat.target().key, outlook(104.0, 1));
    let raised = value(&seat, 1);
    assert!(raised > 110.0, "{raised}");
    assert_eq!(value(&seat, 16), raised, "the HPA may have synced just before it was raised");
    assert_eq!(seat.snapshot(at(31)).replicas, Some(12), "since then it has taken the raised value");
    assert_eq!(value(&seat, 31), 104.0, "and is told of the one pod too many, outside the band of twelve");
}

#[test]
fn a_slow_rise_reaches_the_hpa_whenever_it_syncs() {
    for phase in 0..15 {
        let board = Board::default();
        let (seat, _) = board.take_seat(target("checkout"), at(0)).unwrap();
        let threshold = seat.target().threshold;
        let any = policy::ReplicaRange::at_least(1);
        let mut hpa = policy::Hpa::new(policy::HpaSettings::defaults(threshold, any), 10);
        let mut short = 0;
        // from 10 pods to 20 within four hours, an outlook every 15 s, each a little later in the minute than the last
        for sync in 0..960_i64 {
            let published = 15 * sync + sync / 64;
            let load = 100.0 + 100.0 * published as f64 / 14_400.0;
            board.publish(&seat.target().key, outlook(load, published));
            value(&seat, published);
            let synced = published + phase;
            let pods = hpa.sync(at(synced), Some(seat.plan(at(synced)).unwrap().value));
            short += u32::from(pods < any.covering(Load::new(load).unwrap(), threshold));
        }
        assert!(short <= 30, "phase {phase}: too few pods at {short} of 960 syncs");
    }
}

#[test]
fn idle_targets_are_cleared_and_held_ones_stay() {
    let board = Board::default();
    let (held, _) = board.take_seat(target("held"), at(0)).unwrap();
    let open_stream = held.hold();
    let (_asked, _) = board.take_seat(target("asked"), at(0)).unwrap();
    let (_idle, _) = board.take_seat(target("idle"), at(0)).unwrap();
    assert_eq!(board.sweep(1), []);
    board.seat(&target("asked").key);
    assert_eq!(board.sweep(1), [target("idle").key]);
    drop(open_stream);
    board.seat(&target("asked").key);
    assert_eq!(board.sweep(1), [target("held").key]);
    assert_eq!(board.len(), 1);
}

#[test]
fn after_an_error_a_rise_is_published_until_the_hpa_has_seen_it() {
    let board = Board::default();
    let (seat, _) = board.take_seat(target("checkout"), at(0)).unwrap();
    board.publish(&seat.target().key, outlook(100.0, 0));
    assert_eq!(value(&seat, 0), 100.0);
    // the source is silent for an hour: KEDA gets errors and the HPA keeps its ten pods
    assert!(seat.plan(at(1800)).is_err());
    board.publish(&seat.target().key, outlook(104.0, 3600));
    assert!(value(&seat, 3600) > 110.0, "ten pods are believed");
    assert!(value(&seat, 3601) > 110.0, "no sync has passed since");
    assert_eq!(seat.snapshot(at(3615)).replicas, Some(12));
}

#[test]
fn new_targets_beyond_the_limits_are_refused_and_old_ones_keep_their_seats() {
    let board = Board::with_limits(Limits { targets: 3, targets_per_namespace: 2, ..Limits::default() });
    let take = |namespace: &str, name: &str| {
        let mut target = target(name);
        target.key.namespace = namespace.into();
        board.take_seat(target, at(0)).map(|(_, is_new)| is_new)
    };
    assert_eq!((take("shop", "a"), take("shop", "b")), (Ok(true), Ok(true)));
    assert_eq!(take("shop", "c"), Err(NoSeat::Namespace(2)));
    assert_eq!(take("blog", "a"), Ok(true), "others have room");
    assert_eq!(take("mail", "a"), Err(NoSeat::Total(3)));
    assert_eq!(take("shop", "a"), Ok(false));
    board.sweep(0);
    assert_eq!(take("mail", "a"), Ok(true), "idle ones make room");
}

#[test]
fn the_histories_of_a_namespace_are_bounded_together() {
    // two weeks of minutes are 20,160 samples
    let board = Board::with_limits(Limits { samples_per_namespace: 50_000, ..Limits::default() });
    let take = |namespace: &str, name: &str| {
        let mut target = target(name);
        target.key.namespace = namespace.into();
        board.take_seat(target, at(0)).map(drop)
    };
    assert_eq!((take("shop", "a"), take("shop", "b")), (Ok(()), Ok(())));
    let refused = take("shop", "c").unwrap_err();
    assert_eq!(refused, NoSeat::Samples { asked: 60_480, most: 50_000 });
    assert!(refused.to_string().contains("write a shorter historyTimeWindow"), "{refused}");
    assert_eq!((take("shop", "a"), take("mail", "c")), (Ok(()), Ok(())), "those that are known, and others, go on");
}
