//! What a restart begins with.

use std::collections::BTreeMap;
use std::pin::Pin;

use series::{HistoryUpdate, KeptHistory, Sample, Series, Step};

use super::*;

/// Keeps what is to be kept of one history.
#[derive(Default)]
struct Shelf {
    updates: Mutex<Vec<HistoryUpdate>>,
    is_full: AtomicUsize,
}

impl Archive for Shelf {
    fn load(&self, _: TargetKey) -> Pin<Box<dyn Future<Output = Option<KeptHistory>> + Send + '_>> {
        let updates = self.updates.lock().unwrap();
        let mut pages = BTreeMap::new();
        for update in &*updates {
            if update.is_whole {
                pages.clear();
            }
            pages.extend(update.pages().map(|page| (page.number, page.samples)));
        }
        let learned = updates.last().and_then(|update| update.learned.clone());
        Box::pin(std::future::ready(KeptHistory::of(pages.into_values(), learned)))
    }

    fn has_room(&self, _: &TargetKey) -> bool {
        self.is_full.load(Ordering::Relaxed) == 0
    }

    fn keep(&self, _: &TargetKey, update: HistoryUpdate) {
        self.updates.lock().unwrap().push(update);
    }
}

impl Shelf {
    /// How many samples each update held since the last look.
    fn taken(&self, since: usize) -> Vec<usize> {
        self.updates.lock().unwrap()[since..].iter().map(HistoryUpdate::samples).collect()
    }
}

async fn scene(shelf: &Arc<Shelf>) -> Scene {
    Scene::beginning_with(Some(Arc::clone(shelf) as Arc<dyn Archive>), |settings| settings).await
}

#[tokio::test]
async fn a_restart_asks_only_for_what_came_since_and_goes_on_from_what_was_learned() {
    let shelf = Arc::new(Shelf::default());
    let before = scene(&shelf).await;
    before.watch(15_000, None);
    before.refresh_at(30).await;
    assert_eq!(shelf.taken(0), [15_000], "once it is whole");
    for minute in 1..=25 {
        before.refresh_at(30 + 60 * minute).await;
    }
    assert!(matches!(shelf.taken(1)[..], [one, two] if one < 1100 && two < 1100), "every ten minutes, by pages");
    let kept = before.board.latest();

    let after = scene(&shelf).await;
    after.watch(15_000, Some(Arc::clone(&kept)));
    let outlook = after.refresh_at(30 + 60 * 26).await;
    assert_eq!(after.ranges(), [(21.0, 26.0)]);
    let forecast = outlook.forecast.as_ref().unwrap();
    assert_eq!((forecast.origin(), forecast.model()), (at(60 * 26), kept.forecast.as_ref().unwrap().model()));
    // samples are held against forecasts of both processes
    let compared = |shelf: &Shelf| {
        let learned = shelf.updates.lock().unwrap().last().unwrap().learned.clone().unwrap();
        let learned: serde_json::Value = serde_json::from_str(&learned).unwrap();
        learned["learned"]["standing"]["persistence"]["errors"].as_array().unwrap().len()
    };
    let by_the_first = compared(&shelf);
    for minute in 27..=40 {
        after.refresh_at(30 + 60 * minute).await;
    }
    assert!(by_the_first >= 2 && compared(&shelf) > by_the_first, "{by_the_first}, {}", compared(&shelf));
}

#[tokio::test]
async fn a_shelf_that_is_full_or_holds_another_history_costs_nothing() {
    let shelf = Arc::new(Shelf::default());
    shelf.is_full.store(1, Ordering::Relaxed);
    let scene = self::scene(&shelf).await;
    scene.watch(100, None);
    scene.refresh_at(30).await;
    assert_eq!(shelf.taken(0), [0; 0]);
    shelf.is_full.store(0, Ordering::Relaxed);
    scene.refresh_at(90).await;
    assert_eq!(shelf.taken(0), [100]);

    // of another step, of long ago, and learned by a version of tomorrow
    let step = Step::from_seconds(30).unwrap();
    let samples = || std::iter::repeat_n(Sample::Value(load(7.0)), 100);
    for (step, start) in [(step, at(-3000)), (Step::MINUTE, at(-100_000 * 60))] {
        let other = Series::from_samples(start, step, samples()).unwrap();
        let learned = Some(r#"{"format":99,"learned":{}}"#.into());
        *shelf.updates.lock().unwrap() = vec![HistoryUpdate::since(None, &other, learned).unwrap()];
        let scene = self::scene(&shelf).await;
        scene.watch(100, Some(Arc::new(Outlook::first_seen(at(0)))));
        let outlook = scene.refresh_at(30).await;
        assert_eq!(scene.ranges(), [(-99.0, 0.0)]);
        assert!(outlook.forecast.is_ok());
        assert!(shelf.updates.lock().unwrap().last().unwrap().is_whole, "what was there is replaced");
    }
}
