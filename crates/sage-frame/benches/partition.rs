//! What the work on one batch costs a row: `cargo bench -p sage-frame`. Prints the best and the median of many runs,
//! in nanoseconds a row, of batches of 1024 rows with 4 numbers and 2 short strings.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a measurement, run by hand"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use sage_frame::{BatchBuilder, BatchView, Frame, FrameMeta, Layout, LayoutRegistry, hash_keys, partition};
use sage_types::KeyGroups;

const ROWS: usize = 1024;

/// Nanoseconds a row: best and median of some hundred runs.
fn measure(name: &str, mut work: impl FnMut()) {
    for _ in 0..200 {
        work();
    }
    let mut nanos: Vec<f64> = (0..500)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_nanos() as f64 / ROWS as f64
        })
        .collect();
    nanos.sort_by(f64::total_cmp);
    println!("{name:45} {:6.1} {:6.1}", nanos[0], nanos[nanos.len() / 2]);
}

fn batch(key: &str, city: &str) -> (LayoutRegistry, Frame, Arc<Layout>) {
    let text = format!(
        r#"{{"key":"{key}","row":{{"rec":[["a","f64"],["b","f64"],["c","f64"],["d","f64"],["name","str"],["city","str"]]}}}}"#
    );
    let registry = LayoutRegistry::new();
    let id = registry.intern(&text).unwrap();
    let layout = registry.get(id).unwrap();
    let mut builder = BatchBuilder::new(Arc::clone(&layout));
    for row in 0..ROWS {
        fill(&mut builder, key, row, city);
    }
    let frame = builder.finish(id, FrameMeta::default()).unwrap();
    (registry, frame, layout)
}

fn fill(builder: &mut BatchBuilder, key: &str, row: usize, city: &str) {
    let number = (row * 7919 % 1000) as f64;
    if key == "f64" {
        builder.push_f64(0, number).unwrap();
    } else {
        builder.push_str(0, NAMES[row % NAMES.len()]).unwrap();
    }
    for node in 2..6 {
        builder.push_f64(node, number + node as f64).unwrap();
    }
    builder.push_str(6, NAMES[(row * 31) % NAMES.len()]).unwrap();
    builder.push_str(7, city).unwrap();
    builder.end_row().unwrap();
}

const NAMES: [&str; 7] = [
    "Ada",
    "Grace Hopper",
    "user-1234567",
    "x",
    "channel-9876543210",
    "Linus",
    "Barbara",
];

fn main() {
    println!("{:45} {:>6} {:>6}", "ns a row", "best", "median");
    for (key, city) in [("f64", "Hamburg"), ("str", "Hamburg"), ("str", "Zürich")] {
        let (registry, frame, layout) = batch(key, city);
        let view = frame.view(&registry).unwrap();
        let mut hashes = Vec::new();
        let title = |what: &str| format!("{key} key, {city}: {what}");
        measure(&title("hash"), || {
            hash_keys(black_box(&view), &mut hashes).unwrap();
        });
        for parallelism in [2, 4, 8] {
            let groups = KeyGroups::new(128, parallelism);
            measure(&title(&format!("hash and partition into {parallelism}")), || {
                black_box(partition::by_key(black_box(&view), &groups, FrameMeta::default()).unwrap());
            });
        }
        let mut cursor = 0;
        measure(&title("round robin over 4"), || {
            black_box(partition::round_robin(&view, 4, &mut cursor, FrameMeta::default()).unwrap());
        });
        let mut image = vec![0_u64; frame.image_len().div_ceil(8)];
        measure(&title("frame to image"), || {
            frame.write_image(bytemuck::cast_slice_mut(&mut image)).unwrap();
        });
        measure(&title("image to frame, with validation"), || {
            let view = BatchView::from_image(bytemuck::cast_slice(&image), &registry).unwrap();
            black_box(Frame::from_view(&view, FrameMeta::default()).unwrap());
        });
        let mut builder = BatchBuilder::new(layout);
        measure(&title("build"), || {
            for row in 0..ROWS {
                fill(&mut builder, key, row, city);
            }
            black_box(builder.finish(0.into(), FrameMeta::default()).unwrap());
        });
    }
}
