//! `#[derive(Job)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Path, Result, Type, parse_quote};
use windlass_core::{LockMode, Priority};

use crate::attributes::JobAttributes;

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
    let timeout = said.timeout.map(|timeout| {
        let (seconds, nanos) = (timeout.as_secs(), timeout.subsec_nanos());
        quote!(job.options.timeout = ::core::option::Option::Some(::core::time::Duration::new(#seconds, #nanos));)
    });
    let unique = said
        .unique
        .then(|| quote!(job.options.unique = ::core::option::Option::Some(#model::Unique::by_args());));
    let lines: Vec<TokenStream> =
        [queue, priority, attempts, losses, timeout, unique].into_iter().flatten().collect();
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
