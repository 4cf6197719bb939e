//! A panic in an exported function would end the process: every export runs in the net. Read from the source, so that a
//! new export cannot forget it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may be short")]

use std::path::Path;

/// The exported functions of a source text: the name, and whether the body is one call of `guarded` with the name that
/// JavaScript knows.
fn exports(source: &str) -> Vec<(String, bool)> {
    let behind_attributes = source.split("#[napi").skip(1);
    behind_attributes
        .map(|text| {
            let (head, rest) = text
                .split_once("fn ")
                .expect("a #[napi] item that is not a function");
            assert!(
                head.trim_end().ends_with("pub"),
                "an export that is not public: {head}"
            );
            let name = &rest[..rest.find(['(', '<']).unwrap()];
            // The body: from the first brace to the brace in the first column.
            let body = rest
                .split_once("{\n")
                .unwrap()
                .1
                .split("\n}")
                .next()
                .unwrap()
                .trim();
            let guarded = body.starts_with(&format!("guarded(\"{}\", || ", camel_case(name)))
                && body.ends_with(')')
                && body.matches("guarded(").count() == 1;
            (name.to_owned(), guarded)
        })
        .collect()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| {
        camel + &word[..1].to_uppercase() + &word[1..]
    })
}

#[test]
fn every_export_of_the_binding_runs_in_the_net() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        for (name, guarded) in exports(&source) {
            assert!(
                guarded,
                "{name} in {} is not one call of guarded(\"{}\", ...)",
                path.display(),
                camel_case(&name)
            );
            names.push(name);
        }
    }
    // The reading works at all.
    for known in [
        "create_job",
        "poll",
        "take",
        "emit",
        "aggregate_update",
        "test_panic",
    ] {
        assert!(
            names.iter().any(|name| name == known),
            "{known} was not found among {names:?}"
        );
    }
}

#[test]
fn an_export_without_the_net_is_found() {
    let good = "#[napi]\npub fn a_b(x: u32) -> napi::Result<u32> {\n    guarded(\"aB\", || Ok(x))\n}\n";
    assert_eq!(exports(good), [("a_b".to_owned(), true)]);
    let bare = "#[napi]\npub fn a(x: u32) -> u32 {\n    x\n}\n";
    assert_eq!(exports(bare), [("a".to_owned(), false)]);
    let before = "#[napi]\npub fn a(x: u32) -> napi::Result<u32> {\n    let y = x + 1;\n    guarded(\"a\", || Ok(y))\n}\n";
    assert_eq!(exports(before), [("a".to_owned(), false)]);
    let other_name = "#[napi]\npub fn a_b(x: u32) -> napi::Result<u32> {\n    guarded(\"a\", || Ok(x))\n}\n";
    assert_eq!(exports(other_name), [("a_b".to_owned(), false)]);
}
