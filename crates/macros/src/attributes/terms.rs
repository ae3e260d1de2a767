//! What `retry` and `review` say: a value with terms of its own.

use std::collections::HashSet;
use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Lit, LitStr, Path, Result, Token, bracketed, parenthesized, token};
use windlass_core::retry::{Exponential, Step};
use windlass_core::review::Subject;
use windlass_core::{Decision, Invalid, RetryPolicy, Review, span};

const RETRIES: &str = "expected a wait such as \"30s\", waits such as [\"1s\", \"1m\"], or \
                       exponential(base = \"5s\", factor = 2.0, cap = \"1h\", jitter = 0.1)";
const REVIEWS: &str = "expected \"outcome\" or \"start\", or one of them with terms: \
                       outcome(decide_within = \"72h\", otherwise = \"decline\", remind_every = \"24h\", submitter_may)";

/// `retry = "30s"`, `retry = ["1s", "1m"]` or `retry = exponential(..)`.
pub(super) fn retry(meta: &ParseNestedMeta<'_>) -> Result<RetryPolicy> {
    let value = meta.value()?;
    let at = value.span();
    let policy = if value.peek(LitStr) {
        RetryPolicy::Fixed(wait(value)?)
    } else if value.peek(token::Bracket) {
        RetryPolicy::List(waits(value)?)
    } else if value.peek(Ident) {
        exponential(value)?
    } else {
        return Err(Error::new(at, RETRIES));
    };
    policy.validate().map(|()| policy).map_err(|invalid| Error::new(at, invalid))
}

/// `review = "outcome"` or `review = outcome(..)`, and the same with `start`.
pub(super) fn review(meta: &ParseNestedMeta<'_>) -> Result<Review> {
    let value = meta.value()?;
    let at = value.span();
    let review = if value.peek(LitStr) {
        let of: LitStr = value.parse()?;
        asked(&of.value()).ok_or_else(|| Error::new(of.span(), REVIEWS))?
    } else if value.peek(Ident) {
        let of: Ident = value.parse()?;
        let review = asked(&of.to_string()).ok_or_else(|| Error::new(of.span(), REVIEWS))?;
        terms(value, review, read_review)?
    } else {
        return Err(Error::new(at, REVIEWS));
    };
    review.validate().map(|()| review).map_err(|invalid| Error::new(at, invalid))
}

fn asked(of: &str) -> Option<Review> {
    match of {
        "outcome" => Some(Review::outcome()),
        "start" => Some(Review::start()),
        _ => None,
    }
}

fn read_review(review: &mut Review, name: &Ident, value: ParseStream<'_>) -> Result<()> {
    match name.to_string().as_str() {
        "decide_within" => review.decide_within = Some(said(value, wait)?),
        "otherwise" => review.otherwise = said(value, decision)?,
        "remind_every" => review.remind_every = Some(said(value, wait)?),
        "submitter_may" => review.submitter_may = true,
        _ => return Err(Error::new(name.span(), REVIEWS)),
    }
    Ok(())
}

fn decision(value: ParseStream<'_>) -> Result<Decision> {
    let word: LitStr = value.parse()?;
    match word.value().as_str() {
        "accept" => Ok(Decision::Accept),
        "decline" => Ok(Decision::Decline),
        _ => Err(Error::new(word.span(), "expected \"accept\" or \"decline\"")),
    }
}

fn exponential(value: ParseStream<'_>) -> Result<RetryPolicy> {
    let name: Ident = value.parse()?;
    let RetryPolicy::Exponential(default) = RetryPolicy::default() else {
        return Err(Error::new(name.span(), RETRIES));
    };
    if name != "exponential" {
        return Err(Error::new(name.span(), RETRIES));
    }
    terms(value, default, read_exponential).map(RetryPolicy::Exponential)
}

fn read_exponential(terms: &mut Exponential, name: &Ident, value: ParseStream<'_>) -> Result<()> {
    match name.to_string().as_str() {
        "base" => terms.base = said(value, wait)?,
        "factor" => terms.factor = said(value, number)?,
        "cap" => terms.cap = said(value, wait)?,
        "jitter" => terms.jitter = said(value, number)?,
        _ => return Err(Error::new(name.span(), RETRIES)),
    }
    Ok(())
}

/// Reads terms in parentheses into `value`, each at most once.
fn terms<T>(
    input: ParseStream<'_>,
    mut value: T,
    read: impl Fn(&mut T, &Ident, ParseStream<'_>) -> Result<()>,
) -> Result<T> {
    let inside;
    parenthesized!(inside in input);
    let mut seen = HashSet::new();
    while !inside.is_empty() {
        let name: Ident = inside.parse()?;
        read(&mut value, &name, &inside)?;
        if !seen.insert(name.to_string()) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice")));
        }
        if !inside.is_empty() {
            let _comma: Token![,] = inside.parse()?;
        }
    }
    Ok(value)
}

/// What stands behind the `=` of a term.
fn said<T>(value: ParseStream<'_>, read: impl FnOnce(ParseStream<'_>) -> Result<T>) -> Result<T> {
    let _equals: Token![=] = value.parse()?;
    read(value)
}

fn wait(value: ParseStream<'_>) -> Result<Duration> {
    let text: LitStr = value.parse()?;
    parsed(&text)
}

fn waits(value: ParseStream<'_>) -> Result<Vec<Step>> {
    let inside;
    bracketed!(inside in value);
    let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&inside)?;
    texts.iter().map(|text| parsed(text).map(Step)).collect()
}

fn parsed(text: &LitStr) -> Result<Duration> {
    span::parse(&text.value()).map_err(|Invalid { problem, .. }| Error::new(text.span(), problem))
}

fn number(value: ParseStream<'_>) -> Result<f64> {
    let literal: Lit = value.parse()?;
    match &literal {
        Lit::Float(number) => number.base10_parse(),
        Lit::Int(number) => number.base10_parse(),
        _ => Err(Error::new(literal.span(), "expected a number")),
    }
}

/// The policy as an expression.
pub(crate) fn retry_tokens(policy: &RetryPolicy, krate: &Path) -> TokenStream {
    let model = quote!(#krate::model);
    match policy {
        RetryPolicy::Fixed(delay) => {
            let delay = duration(*delay);
            quote!(#model::RetryPolicy::Fixed(#delay))
        }
        RetryPolicy::List(steps) => {
            let steps = steps.iter().map(|step| {
                let step = duration(step.0);
                quote!(#model::retry::Step(#step))
            });
            quote!(#model::RetryPolicy::List(::std::vec![#(#steps),*]))
        }
        RetryPolicy::Exponential(Exponential { base, factor, cap, jitter }) => {
            let (base, cap) = (duration(*base), duration(*cap));
            quote! {
                #model::RetryPolicy::Exponential(#model::retry::Exponential {
                    base: #base,
                    factor: #factor,
                    cap: #cap,
                    jitter: #jitter,
                })
            }
        }
    }
}

/// The terms of a review as an expression.
pub(crate) fn review_tokens(review: &Review, krate: &Path) -> TokenStream {
    let model = quote!(#krate::model);
    let of = match review.of {
        Subject::Outcome => quote!(#model::Review::outcome()),
        Subject::Start => quote!(#model::Review::start()),
    };
    let decide_within = review.decide_within.map(|time| {
        let time = duration(time);
        let otherwise = match review.otherwise {
            Decision::Accept => quote!(Accept),
            Decision::Decline => quote!(Decline),
        };
        quote!(.decide_within(#time, #model::Decision::#otherwise))
    });
    let remind_every = review.remind_every.map(|time| {
        let time = duration(time);
        quote!(.remind_every(#time))
    });
    let submitter_may = review.submitter_may.then(|| quote!(.submitter_may()));
    quote!(#of #decide_within #remind_every #submitter_may)
}

/// A span as an expression.
pub(crate) fn duration(span: Duration) -> TokenStream {
    let (seconds, nanos) = (span.as_secs(), span.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}
