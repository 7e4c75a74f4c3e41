//! What the documents say of the code is there: the tests that the threat model names, and the files that
//! pages lead to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use identety_tests::binaries;

/// The files below `folder`, but for what is built or fetched.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_symlink() || name.starts_with('.') || ["target", "node_modules"].contains(&name)
        {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, extensions));
        } else if extensions
            .iter()
            .any(|extension| path.extension().is_some_and(|e| e == *extension))
        {
            found.push(path);
        }
    }
    found
}

/// What stands between single backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names of all functions, and of all tests of browsers.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files(binaries::root(), &["rs", "py"]) {
        let text = fs::read_to_string(&path).unwrap();
        for keyword in ["fn ", "def "] {
            let after = text.split(keyword).skip(1);
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            names.extend(
                after.map(|rest| rest.split(|c| !is_part(c)).next().unwrap_or_default().to_owned()),
            );
        }
    }
    names
}

#[test]
fn every_attack_in_the_threat_model_names_a_test_that_is_there() {
    let names = names();
    let model = fs::read_to_string(binaries::root().join("docs/threat-model.md")).unwrap();
    let mut rows = 0;
    for row in model.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack"))
    {
        let test = row.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap();
        let tests: Vec<_> = quoted(test).collect();
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            let name = test.rsplit("::").next().unwrap();
            assert!(names.contains(name), "{test} is no test: {row}");
        }
        rows += 1;
    }
    assert!(rows > 250, "{rows}");
}

#[test]
fn every_link_in_a_document_leads_to_a_file() {
    let mut links = 0;
    for page in files(binaries::root(), &["md"]) {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.contains(char::is_whitespace) {
                continue;
            }
            let target = page.parent().unwrap().join(file);
            assert!(target.exists(), "{}: {link}", page.display());
            links += 1;
        }
    }
    assert!(links > 10, "{links}");
}
