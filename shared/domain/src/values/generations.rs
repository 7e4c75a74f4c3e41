//! A bounded memory of what was used lately.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// A map in two generations: when the younger one is full, the older one is forgotten. It never holds more than
/// twice the size of a generation, and forgetting costs nothing.
#[derive(Debug)]
pub(crate) struct Generations<K, V> {
    size: usize,
    younger: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// An empty one whose generations hold `size` entries.
    #[must_use]
    pub(crate) fn of_size(size: usize) -> Self {
        Self { size, younger: HashMap::new(), older: HashMap::new() }
    }

    /// The value under `key`. Looking at it does not make it younger.
    #[must_use]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.younger.get(key).or_else(|| self.older.get(key))
    }

    /// The value under `key`, which is used by that, and so stays for another generation.
    pub(crate) fn touch(&mut self, key: &K) -> Option<&V> {
        if !self.younger.contains_key(key)
            && let Some((key, value)) = self.older.remove_entry(key)
        {
            self.insert(key, value);
        }
        self.younger.get(key)
    }

    /// Puts `value` under `key`, in the place of any other.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.older.remove(&key);
        if self.younger.len() >= self.size && !self.younger.contains_key(&key) {
            self.older = mem::take(&mut self.younger);
        }
        self.younger.insert(key, value);
    }

    /// Forgets what is under `key`.
    pub(crate) fn remove(&mut self, key: &K) {
        self.younger.remove(key);
        self.older.remove(key);
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.younger.len() + self.older.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let mut memory = Generations::of_size(8);
        memory.insert(0, "used");
        for key in 1..100 {
            assert_eq!(memory.touch(&0), Some(&"used"), "forgotten at {key}");
            memory.insert(key, "unused");
            assert!(memory.count() <= 16);
        }
        assert_eq!(memory.get(&1), None);
    }

    #[test]
    fn a_look_alone_keeps_nothing() {
        let mut memory = Generations::of_size(2);
        memory.insert(0, ());
        for key in 1..6 {
            let _ = memory.get(&0);
            memory.insert(key, ());
        }
        assert_eq!(memory.get(&0), None);
    }

    #[test]
    fn the_last_value_of_a_key_is_its_only_one() {
        let mut memory = Generations::of_size(2);
        for (key, value) in [(1, "old"), (2, "x"), (3, "y"), (1, "new")] {
            memory.insert(key, value);
        }
        assert_eq!(memory.get(&1), Some(&"new"));
        memory.remove(&1);
        assert_eq!(memory.get(&1), None);
    }
}
