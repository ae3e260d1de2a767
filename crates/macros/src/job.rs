//! `#[derive(Job)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Path, Result, Type, parse_quote};
use windlass_core::{LockMode, Priority};

use crate::attributes::JobAttributes;
use crate::attributes::terms::{duration, retry_tokens, review_tokens};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    if let Data::Union(_) = input.data {
        return Err(Error::new(
            input.ident.span(),
            "a union cannot be a job: its args could not be written down",
        ));
    }
    let said = JobAttributes::of(input)?;
    let Some(kind) = &said.kind else { return Err(kind_is_missing(input)) };
    let krate = said.krate.clone().unwrap_or_else(|| parse_quote!(::windlass));
    let name = &input.ident;
    let (impl_generics, type_generics, bounds) = input.generics.split_for_impl();
    let version = said.version.unwrap_or(1);
    let output = said.output.clone().unwrap_or_else(|| -> Type { parse_quote!(()) });
    let (defaults, upcast, locks) = (defaults(&said, &krate), upcast(&said, &krate), locks(&said, &krate));

    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #krate::Job for #name #type_generics #bounds {
            const KIND: &'static str = #kind;
            const VERSION: u32 = #version;
            #locks
            type Output = #output;
            #defaults
            #upcast
        }
    })
}

/// Proposes a kind rather than taking it from the type: a name that jobs are found by must not change with a rename.
fn kind_is_missing(input: &DeriveInput) -> Error {
    let proposal = snake_case(&input.ident.to_string());
    let message = format!(
        "a job needs a kind, the name its handler is found by: write `#[job(kind = \"{proposal}\")]`\n\
         it is stored with every job, so it has to stay when the type is renamed"
    );
    Error::new(input.ident.span(), message)
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::new();
    for (index, c) in camel.char_indices() {
        if c.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

fn defaults(said: &JobAttributes, krate: &Path) -> Option<TokenStream> {
    let model = quote!(#krate::model);
    let queue = said.queue.as_ref().map(|queue| quote!(job.queue = #model::QueueName::new(#queue)?;));
    let priority = said.priority.map(|priority| {
        let priority = variant(priority);
        quote!(job.priority = #model::Priority::#priority;)
    });
    let attempts = said.attempts.map(|attempts| quote!(job.attempts_max = #attempts;));
    let losses = said.losses.map(|losses| quote!(job.losses_max = #losses;));
    let some = quote!(::core::option::Option::Some);
    let timeout = said.timeout.map(|timeout| {
        let timeout = duration(timeout);
        quote!(job.options.timeout = #some(#timeout);)
    });
    let retry = said.retry.as_ref().map(|policy| {
        let policy = retry_tokens(policy, krate);
        quote!(job.options.retry = #policy;)
    });
    let review = said.review.as_ref().map(|review| {
        let review = review_tokens(review, krate);
        quote!(job.options.review = #some(#review);)
    });
    let unique = said.unique.then(|| quote!(job.options.unique = #some(#model::Unique::by_args());));
    let lines = [queue, priority, attempts, losses, timeout, retry, review, unique];
    let lines: Vec<TokenStream> = lines.into_iter().flatten().collect();
    (!lines.is_empty()).then(|| {
        quote! {
            fn defaults(job: &mut #model::NewJob) -> ::core::result::Result<(), #model::Invalid> {
                #(#lines)*
                ::core::result::Result::Ok(())
            }
        }
    })
}

fn locks(said: &JobAttributes, krate: &Path) -> Option<TokenStream> {
    let model = quote!(#krate::model);
    let lock = |(resource, mode): &(String, LockMode)| {
        let mode = if *mode == LockMode::Shared { quote!(Shared) } else { quote!(Exclusive) };
        quote!(#model::LockTemplate { resource: #resource, mode: #model::LockMode::#mode })
    };
    let locks: Vec<TokenStream> = said.locks.iter().map(lock).collect();
    (!locks.is_empty()).then(|| quote!(const LOCKS: &'static [#model::LockTemplate] = &[#(#locks),*];))
}

fn variant(priority: Priority) -> TokenStream {
    match priority {
        Priority::Critical => quote!(Critical),
        Priority::High => quote!(High),
        Priority::Normal => quote!(Normal),
        Priority::Low => quote!(Low),
        Priority::Idle => quote!(Idle),
    }
}

fn upcast(said: &JobAttributes, krate: &Path) -> Option<TokenStream> {
    let function = said.upcast.as_ref()?;
    Some(quote! {
        fn upcast(
            version: u32,
            args: #krate::__private::Value,
        ) -> ::core::result::Result<#krate::__private::Value, ::std::string::String> {
            #function(version, args)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(input: &DeriveInput) -> String {
        expand(input).unwrap().to_string().replace(' ', "")
    }

    #[test]
    fn a_kind_is_all_that_is_needed() {
        let code = expanded(&parse_quote! { #[job(kind = "send_email")] struct SendEmail; });

        assert!(code.contains("impl::windlass::JobforSendEmail"), "{code}");
        assert!(
            code.contains(r#"constKIND:&'staticstr="send_email";constVERSION:u32=1u32;typeOutput=();"#),
            "{code}"
        );
        assert!(!code.contains("fn"), "{code}");
    }

    #[test]
    fn a_job_may_be_the_only_one_with_its_args() {
        let code = expanded(&parse_quote! { #[job(kind = "reindex", unique)] struct Reindex; });

        assert!(code.contains("windlass::model::Unique::by_args()"), "{code}");
    }

    #[test]
    fn waits_and_reviews_are_said_with_their_terms() {
        let retry = |code: &str| {
            code.split("job.options.retry=").nth(1).unwrap().split(';').next().unwrap().to_owned()
        };
        let fixed = expanded(&parse_quote! { #[job(kind = "k", retry = "30s")] struct K; });
        let list = expanded(&parse_quote! { #[job(kind = "k", retry = ["1s", "1m"])] struct K; });
        let grown = expanded(
            &parse_quote! { #[job(kind = "k", retry = exponential(base = "1s", factor = 3))] struct K; },
        );
        let review = expanded(&parse_quote! {
            #[job(kind = "k", review = outcome(decide_within = "72h", otherwise = "accept", submitter_may))]
            struct K;
        });
        let start = expanded(&parse_quote! { #[job(kind = "k", review = "start")] struct K; });

        assert_eq!(
            retry(&fixed),
            "::windlass::model::RetryPolicy::Fixed(::core::time::Duration::new(30u64,0u32))"
        );
        assert!(
            retry(&list).contains("List(::std::vec![") && retry(&list).contains("new(60u64,0u32)"),
            "{list}"
        );
        assert!(
            grown.contains("factor:3f64,cap:::core::time::Duration::new(3600u64,0u32),jitter:0.1f64"),
            "{grown}"
        );
        let terms = "Review::outcome().decide_within(::core::time::Duration::new(259200u64,0u32),::windlass::model::Decision::Accept).submitter_may()";
        assert!(review.contains(terms), "{review}");
        assert!(start.contains("Some(::windlass::model::Review::start())"), "{start}");
    }

    #[test]
    fn generics_and_the_path_of_the_crate_are_carried_over() {
        let code = expanded(&parse_quote! {
            #[job(kind = "import", crate = my::queue)]
            struct Import<T> where T: Row { rows: Vec<T> }
        });

        assert!(code.contains("impl<T>my::queue::JobforImport<T>whereT:Row"), "{code}");
    }

    #[test]
    fn a_proposed_kind_is_in_snake_case() {
        assert_eq!(snake_case("SendWelcomeEmail"), "send_welcome_email");
    }
}
