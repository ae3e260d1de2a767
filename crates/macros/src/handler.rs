//! `#[debug_handler]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, FnArg, Ident, ItemFn, Result, ReturnType, Signature, Token, Type, parse_quote};

/// What is said in the brackets: the state of the worker.
pub(crate) struct Options {
    state: Type,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Ok(Self { state: parse_quote!(()) });
        }
        let name: Ident = input.parse()?;
        if name != "state" {
            return Err(Error::new(name.span(), "expected `state = Type`"));
        }
        input.parse::<Token![=]>()?;
        let state = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Self { state })
    }
}

/// The function as it is, and for each part of it a line that compiles only if a handler may be like that.
pub(crate) fn expand(options: &Options, function: &ItemFn) -> TokenStream {
    let checks = checks(options, &function.sig).unwrap_or_else(Error::into_compile_error);
    quote! {
        #function
        const _: () = { #checks };
    }
}

fn checks(options: &Options, signature: &Signature) -> Result<TokenStream> {
    if !signature.generics.params.is_empty() {
        let problem = "a generic function cannot be checked: take this away, or name the types";
        return Err(Error::new(signature.generics.span(), problem));
    }
    let mut types = Vec::new();
    for argument in &signature.inputs {
        match argument {
            FnArg::Typed(argument) => types.push(&*argument.ty),
            FnArg::Receiver(receiver) => {
                return Err(Error::new(receiver.span(), "a handler is a free function: it takes no `self`"));
            }
        }
    }
    let Some((job, parts)) = types.split_first() else {
        return Err(Error::new(signature.ident.span(), "a handler takes the job as its first argument"));
    };
    let state = &options.state;
    let first = fits(job.span(), job, &quote!(::windlass::Job));
    let others =
        parts.iter().map(|part| fits(part.span(), part, &quote!(::windlass::extract::FromContext<#state>)));
    let (returned, sent) = (returned(job, &signature.output), sent(signature));
    Ok(quote!(#first #(#others)* #returned #sent))
}

/// A type that is written out can be checked; an `impl Future` cannot, and need not.
fn returned(job: &Type, output: &ReturnType) -> TokenStream {
    let ty: Type = match output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)) => return TokenStream::new(),
        ReturnType::Type(_, ty) => Type::clone(ty),
    };
    let span = match output {
        ReturnType::Default => job.span(),
        ReturnType::Type(..) => ty.span(),
    };
    let output = quote!(<#job as ::windlass::Job>::Output);
    fits(span, &ty, &quote!(::windlass::worker::IntoOutcome<#output>))
}

fn fits(span: Span, ty: &Type, bound: &TokenStream) -> TokenStream {
    quote_spanned! { span =>
        const _: fn() = || {
            fn fits<T: #bound>() {}
            fits::<#ty>();
        };
    }
}

/// A handler may be moved to another thread while it waits.
fn sent(signature: &Signature) -> TokenStream {
    if signature.asyncness.is_none() {
        return TokenStream::new();
    }
    let name = &signature.ident;
    let arguments: Vec<Ident> = (0..signature.inputs.len()).map(|place| format_ident!("A{place}")).collect();
    quote_spanned! { name.span() =>
        const _: fn() = || {
            fn sent<F: ::core::future::Future + ::core::marker::Send, #(#arguments),*>(_: fn(#(#arguments),*) -> F) {}
            sent(#name);
        };
    }
}
