//! What the documents say of the code is there: the tests that the threat model names, and the files that
//! pages lead to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// All tests that the threat model may name, as it names them.
fn tests() -> BTreeSet<String> {
    let mut tests = tests_of_this_binary();
    for manifest in files(binaries::root(), &["toml"]) {
        let sources = manifest.with_file_name("src");
        if manifest.ends_with("Cargo.toml") && sources.is_dir() {
            let crate_name = crate_name(&fs::read_to_string(&manifest).unwrap());
            let paths = files(&sources, &["rs"]).into_iter();
            let tests_of = |path: PathBuf| tests_in(&path, &module(&sources, &path));
            let named = paths.flat_map(tests_of).map(|test| format!("{crate_name}::{test}"));
            tests.extend(named);
        }
    }
    let others = ["tests/fuzz", "tests/soak"].map(|folder| binaries::root().join(folder));
    for path in others.iter().flat_map(|folder| files(folder, &["rs"])) {
        tests.extend(tests_in(&path, &[]));
    }
    for path in files(&binaries::root().join("infra/tests"), &["py"]) {
        tests.extend(python_tests_in(&path));
    }
    tests
}

/// What this very program calls its tests; the cases of one count as one.
fn tests_of_this_binary() -> BTreeSet<String> {
    let mut program = Command::new(std::env::current_exe().unwrap());
    let output = program.args(["--list", "--format", "terse"]).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    names.map(|name| name.split("::case_").next().unwrap().to_owned()).collect()
}

/// The name of the crate that a manifest describes.
fn crate_name(manifest: &str) -> String {
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
    name.trim_matches('"').replace('-', "_")
}

/// The module that is in a file: `a::b` in `a/b.rs` and in `a/b/mod.rs`, none in `lib.rs`.
fn module(sources: &Path, path: &Path) -> Vec<String> {
    let below = path.strip_prefix(sources).unwrap().with_extension("");
    let mut names: Vec<_> = below.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    names.pop_if(|name| ["lib", "main", "mod"].contains(&name.as_str()));
    names
}

/// The tests of a file with rustfmt's indentation: functions with the attribute of one, below the modules
/// that they are in.
fn tests_in(path: &Path, module: &[String]) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let (mut found, mut is_test) = (Vec::new(), false);
    let mut nested: Vec<(usize, &str)> = Vec::new();
    for line in text.lines() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if code == "}" {
            nested.pop_if(|(column, _)| *column == indent);
        }
        is_test |= ["#[test]", "#[rstest]", "#[tokio::test"].iter().any(|it| code.starts_with(it));
        let item = code.trim_start_matches("pub ").trim_start_matches("async ");
        if let Some(rest) = item.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            nested.push((indent, rest));
        } else if let Some(rest) = item.strip_prefix("fn ") {
            if is_test {
                let name = rest.split(['(', '<']).next().unwrap();
                let modules = module.iter().map(String::as_str);
                let path = modules.chain(nested.iter().map(|(_, name)| *name)).chain([name]);
                found.push(path.collect::<Vec<_>>().join("::"));
            }
            is_test = false;
        }
    }
    found
}

/// The tests of a file of Python's: the methods of its classes whose names say so.
fn python_tests_in(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let file = path.file_stem().unwrap().to_str().unwrap();
    let (mut found, mut class) = (Vec::new(), "");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("class ") {
            class = rest.split(['(', ':']).next().unwrap();
        } else if let Some(rest) = line.strip_prefix("    def test_") {
            let name = rest.split('(').next().unwrap();
            found.push(format!("{file}::{class}::test_{name}"));
        }
    }
    found
}

fn threat_model() -> String {
    fs::read_to_string(binaries::root().join("docs/threat-model.md")).unwrap()
}

#[test]
fn every_attack_in_the_threat_model_names_a_test_that_is_there() {
    let known = tests();
    let (model, mut rows, mut wrong) = (threat_model(), 0, Vec::new());
    for row in model.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack"))
    {
        let column = row.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap();
        let cited: Vec<_> = quoted(column).collect();
        assert!(!cited.is_empty(), "no test: {row}");
        wrong.extend(cited.into_iter().filter(|test| !known.contains(*test)).map(str::to_owned));
        rows += 1;
    }
    assert!(wrong.is_empty(), "these are no tests: {wrong:#?}");
    assert!(rows > 250, "{rows}");
}

#[test]
fn every_choice_in_the_threat_model_names_a_test_that_is_there() {
    let (known, model) = (tests(), threat_model());
    let after = model.split("\n## Choices").nth(1).unwrap();
    let choices: Vec<_> = after.split("\n## ").next().unwrap().split("\n- **").skip(1).collect();
    let mut wrong = Vec::new();
    for choice in &choices {
        let cited: Vec<_> = quoted(choice).filter(|text| text.contains("::")).collect();
        assert!(!cited.is_empty(), "no test: {choice}");
        wrong.extend(cited.into_iter().filter(|test| !known.contains(*test)));
    }
    assert!(wrong.is_empty(), "these are no tests: {wrong:#?}");
    assert!(choices.len() > 20, "{}", choices.len());
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
