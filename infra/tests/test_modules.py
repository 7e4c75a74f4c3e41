"""The check of the arrows between modules, on crates of a few lines."""

import sys
import tempfile
import unittest
from pathlib import Path

from translated import ROOT

sys.path.insert(0, str(ROOT / "infra"))

import modules  # noqa: E402 (the check is a program beside this folder)

LAYERS = ["values", "models", "stores"]


class Check(unittest.TestCase):
    def problems(self, files, layers=()):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                file = Path(folder, "src", name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return modules.problems(Path(folder), layers)

    def arrows(self, files):
        """The arrows of a crate as pairs of names, without folders above src."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "src")
            for name, text in files.items():
                file = source / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            found = modules.arrows_of(source / "lib.rs")
            return {(str(a.source.relative_to(source)), str(a.target.relative_to(source))) for a in found}


class Circles(Check):
    def test_two_files_that_name_each_other_are_a_circle(self):
        said = self.problems(
            {
                "lib.rs": "mod a;\nmod b;",
                "a.rs": "use crate::b::B;\npub struct A(B);",
                "b.rs": "pub struct B;\nfn f(_: crate::a::A) {}",
            }
        )
        self.assertEqual(len(said), 1)
        for expected in ("circle of 2 files", "src/a.rs:1 -> src/b.rs: B", "src/b.rs:2 -> src/a.rs: A"):
            self.assertIn(expected, said[0])

    def test_a_longer_way_round_is_a_circle(self):
        said = self.problems(
            {
                "lib.rs": "mod a;\nmod b;\nmod c;",
                "a.rs": "pub fn a() { crate::b::b() }",
                "b.rs": "pub fn b() { super::c::c() }",
                "c.rs": "use super::a;\npub fn c() { a::a() }",
            }
        )
        self.assertIn("circle of 3 files", said[0])

    def test_arrows_one_way_are_none(self):
        files = {
            "lib.rs": "mod a;\nmod b;\npub use a::A;",
            "a.rs": "pub struct A;",
            "b.rs": "use crate::A;\npub fn b(_: A) {}",
        }
        self.assertEqual(self.problems(files), [])

    def test_a_parent_that_uses_its_child_and_defines_for_it_is_a_circle(self):
        files = {
            "lib.rs": "mod token;",
            "token/mod.rs": "mod issue;\npub struct Response;\npub fn execute() { issue::issue() }",
            "token/issue.rs": "use super::Response;\npub fn issue() { Response; }",
        }
        self.assertIn("circle of 2 files", self.problems(files)[0])

    def test_a_parent_that_uses_what_it_exports_of_its_child_points_at_the_child(self):
        files = {
            "lib.rs": "mod token;",
            "token/mod.rs": "mod error;\npub use error::TokenError;\npub fn execute() -> TokenError { todo!() }",
            "token/error.rs": "pub struct TokenError;",
        }
        self.assertEqual(self.arrows(files), {("token/mod.rs", "token/error.rs")})

    def test_an_export_of_a_child_is_no_arrow(self):
        files = {
            "lib.rs": "mod token;\npub use token::TokenError;",
            "token/mod.rs": "mod error;\nmod issue;\npub use error::TokenError;",
            "token/error.rs": "pub struct TokenError;",
            "token/issue.rs": "use super::TokenError;\nfn f(_: TokenError) {}",
        }
        self.assertEqual(self.arrows(files), {("token/issue.rs", "token/error.rs")})


class Resolution(Check):
    def target(self, line, **more):
        files = {
            "lib.rs": "mod token;\nmod user;\npub use token::Scope;",
            "token/mod.rs": "mod error;\nmod scope;\npub use error::{TokenError as Error, fail};\npub use scope::*;\n"
            "pub struct Services;",
            "token/error.rs": "pub enum TokenError { Invalid }\npub fn fail() {}",
            "token/scope.rs": "pub struct Scope;\nids! { ClientId }",
            "user.rs": line,
            **more,
        }
        return {target for source, target in self.arrows(files) if source == "user.rs"}

    def test_an_export_is_followed_to_the_definition(self):
        self.assertEqual(self.target("use crate::token::Error;"), {"token/error.rs"})

    def test_an_export_of_everything_is_followed(self):
        self.assertEqual(self.target("use crate::token::Scope;"), {"token/scope.rs"})

    def test_an_export_of_an_export_is_followed(self):
        self.assertEqual(self.target("use crate::Scope;"), {"token/scope.rs"})

    def test_groups_in_groups_are_read(self):
        line = "use crate::{\n    token::{self, Error, Services as Given,},\n    Scope,\n};\nfn f() { token::fail() }"
        self.assertEqual(self.target(line), {"token/error.rs", "token/mod.rs", "token/scope.rs"})

    def test_a_path_in_code_is_an_arrow(self):
        self.assertEqual(self.target("fn f() { super::token::fail() }"), {"token/error.rs"})

    def test_a_variant_is_of_its_enum(self):
        self.assertEqual(self.target("use crate::token::Error::Invalid;"), {"token/error.rs"})

    def test_an_imported_module_counts_by_what_is_used_through_it(self):
        self.assertEqual(self.target("use crate::token;\nfn f() { token::fail() }"), {"token/error.rs"})

    def test_what_a_macro_defines_is_of_the_module_that_should_have_it(self):
        self.assertEqual(self.target("use crate::token::ClientId;"), {"token/mod.rs"})

    def test_a_private_import_that_a_child_imports_is_followed(self):
        found = self.arrows(
            {
                "lib.rs": "mod a;\nmod b;",
                "a/mod.rs": "mod c;\nuse crate::b::B;",
                "a/c.rs": "use super::B;\nuse super::super::b::B as Same;",
                "b.rs": "pub struct B;",
            }
        )
        self.assertEqual(found, {("a/mod.rs", "b.rs"), ("a/c.rs", "b.rs")})

    def test_an_attribute_names_in_a_text(self):
        line = 'struct S { #[serde(with = "crate::token::fail")] field: u8 }'
        self.assertEqual(self.target(line), {"token/error.rs"})

    def test_another_crate_is_no_arrow(self):
        self.assertEqual(self.target("use std::fmt;\nuse serde::{Serialize, de::Error};\nuse ::token::Scope;"), set())


class LeftOut(Check):
    def quiet(self, text):
        files = {"lib.rs": "mod a;\nmod b;", "a.rs": "pub struct A;\nfn f(_: crate::b::B) {}", "b.rs": text}
        self.assertEqual(self.problems(files), [])

    def test_tests_in_the_file(self):
        self.quiet("pub struct B;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n    fn f(_: A) {}\n}")

    def test_a_module_of_tests_in_its_own_file(self):
        # The file is not even looked for.
        self.quiet("pub struct B;\n#[cfg(test)]\nmod tests;")

    def test_a_single_item_for_tests(self):
        self.quiet("pub struct B;\n#[cfg(test)]\nuse crate::a::A;\n#[cfg(test)]\nfn f(_: crate::a::A) {}")

    def test_comments_and_texts(self):
        self.quiet(
            "//! See [`crate::a::A`].\n/// use crate::a::A;\npub struct B;\n/* use crate::a::A; /* nested */ crate::a::A */\n"
            "const T: &str = \"crate::a::A\";\nconst R: &str = r#\"use crate::a::A; \" \"#;\nconst C: char = '\"';"
        )

    def test_code_after_a_lifetime_or_a_quote_is_read(self):
        files = {
            "lib.rs": "mod a;\nmod b;",
            "a.rs": "pub struct A;",
            "b.rs": "fn f<'a>(c: &'a char) { c == '\\''; c == '\"'; crate::a::A; }",
        }
        self.assertEqual(self.arrows(files), {("b.rs", "a.rs")})


class Layers(Check):
    def layered(self, **more):
        files = {
            "lib.rs": "mod values;\nmod models;\nmod stores;\nmod token;\npub use values::Scope;",
            "values/mod.rs": "mod scope;\npub use scope::Scope;",
            "values/scope.rs": "pub struct Scope;",
            "models.rs": "use crate::Scope;\npub struct Client(Scope);",
            "stores.rs": "use crate::models::Client;\npub trait Store { fn client(&self) -> Client; }",
            "token.rs": "use crate::stores::Store;\nuse crate::{Scope, models};\nfn f(_: &dyn Store, _: models::Client, _: Scope) {}",
            **{name.replace("__", "/") + ".rs": text for name, text in more.items()},
        }
        return self.problems(files, LAYERS)

    def test_imports_downward_are_right(self):
        self.assertEqual(self.layered(), [])

    def test_an_import_upward_is_refused(self):
        said = self.layered(values__scope="pub struct Scope;\nfn f(_: crate::models::Client) {}")
        self.assertTrue(any("values must not know models: src/values/scope.rs:2 -> src/models.rs: Client" in it for it in said))

    def test_an_export_upward_is_refused(self):
        said = self.layered(models="pub struct Client;\npub use crate::token::T;", token="pub struct T;")
        self.assertEqual(len(said), 1)
        self.assertIn("models must not know use cases", said[0])

    def test_use_cases_may_name_each_other_but_not_in_a_circle(self):
        files = {"lib.rs": "mod a;\nmod b;", "a.rs": "use crate::b::B;\npub struct A(B);", "b.rs": "pub struct B;"}
        self.assertEqual(self.problems(files, LAYERS), [])
        files["b.rs"] = "pub struct B(Box<crate::a::A>);"
        self.assertIn("circle", self.problems(files, LAYERS)[0])


class Program(unittest.TestCase):
    def test_a_crate_that_is_not_there_is_an_error(self):
        with self.assertRaises(SystemExit) as stopped:
            modules.main(["shared/nothing"])
        self.assertIn("no crate", str(stopped.exception))


if __name__ == "__main__":
    unittest.main()
