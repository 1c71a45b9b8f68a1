//! An inverted index: for each key (a term, a token id) the documents that have it, with a weight.
//!
//! Shared by BM25 (term, frequency) and sparse vectors (token id, impact). Lists are sorted by
//! document number, because documents only ever come with a higher one.

use core::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Hit, top::Top};

/// Lists of documents by key. A tree keeps the stored form the same for the same content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Inverted<K: Ord, W>(BTreeMap<K, List<W>>);

/// Documents with a key, sorted, and the weight of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct List<W> {
    documents: Vec<u32>,
    weights: Vec<W>,
}

impl<K: Ord, W: Copy> Inverted<K, W> {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// `document` is higher than any before it, and `key` new to it.
    pub(super) fn add(&mut self, document: u32, key: K, weight: W) {
        let list = self.0.entry(key).or_insert_with(|| List {
            documents: Vec::new(),
            weights: Vec::new(),
        });
        list.documents.push(document);
        list.weights.push(weight);
    }

    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&List<W>>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    /// Takes documents out of every list. Cost: one search a document and list.
    pub(super) fn remove(&mut self, gone: &BTreeSet<u32>) {
        self.0.retain(|_, list| {
            for document in gone {
                if let Ok(at) = list.documents.binary_search(document) {
                    list.documents.remove(at);
                    list.weights.remove(at);
                }
            }
            !list.documents.is_empty()
        });
    }

    /// Whether every list is one that `add` could have made, of postings that `allowed` allows.
    pub(super) fn is_sound(&self, allowed: impl Fn(u32, W) -> bool) -> bool {
        self.0.values().all(|list| {
            list.documents.len() == list.weights.len()
                && !list.documents.is_empty()
                && list.documents.is_sorted_by(|a, b| a < b)
                && list
                    .iter()
                    .all(|(document, weight)| allowed(document, weight))
        })
    }

    pub(super) fn keys(&self) -> usize {
        self.0.len()
    }
}

impl<W: Copy> List<W> {
    pub(super) fn len(&self) -> usize {
        self.documents.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, W)> {
        (self.documents.iter().copied()).zip(self.weights.iter().copied())
    }
}

/// Scores summed by document, of which only those touched are looked at again.
#[derive(Debug)]
pub(super) struct Sums {
    scores: Vec<f32>,
    touched: Vec<u32>,
}

impl Sums {
    /// For documents below `next`.
    pub(super) fn new(next: u32) -> Self {
        Self {
            scores: vec![0.0; next as usize],
            touched: Vec::new(),
        }
    }

    /// `score` is above 0.
    pub(super) fn add(&mut self, document: u32, score: f32) {
        let sum = &mut self.scores[document as usize];
        if *sum == 0.0 {
            self.touched.push(document);
        }
        *sum += score;
    }

    pub(super) fn into_top(self, k: usize) -> Vec<Hit> {
        let mut top = Top::new(k);
        for document in self.touched {
            top.push(document, self.scores[document as usize]);
        }
        top.into_hits()
    }
}
