//! What a provider does that it should not, one thing at a time, and what real providers do that one has to live with.

/// Declares the variants and lists them, so that a test can be held to all of them.
macro_rules! misbehaviours {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What a provider does wrong, while all else is right.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Misbehaviour {
            $($(#[$doc])* $name,)+
        }

        impl Misbehaviour {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

misbehaviours! {
    /// The browser brings another `iss` back.
    ResponseIssWrong,
    /// None, although the metadata announces one.
    ResponseIssMissing,
    /// The right one and another.
    ResponseIssTwice,
    /// An error with markup and line ends in its description.
    ResponseError,
    /// A code that nobody issued.
    ResponseCodeForged,
    /// Two states.
    ResponseStateTwice,
    /// The ID token is of another issuer.
    TokenIssuer,
    /// For another client.
    TokenAudience,
    /// For this client and another, without `azp`.
    TokenExtraAudience,
    /// Issued to another client.
    TokenAuthorizedParty,
    /// With the nonce of another sign-in.
    TokenNonce,
    /// Without a nonce.
    TokenNonceMissing,
    /// Expired.
    TokenExpired,
    /// Never expiring.
    TokenExpMissing,
    /// Not valid yet.
    TokenNotBefore,
    /// Made tomorrow.
    TokenIssuedTomorrow,
    /// Made nobody says when.
    TokenIatMissing,
    /// Made yesterday, and good for a week.
    TokenIssuedYesterday,
    /// Of nobody.
    TokenSubjectMissing,
    /// With `alg: none` and no signature.
    AlgNone,
    /// The same in other letters.
    AlgNoneMixedCase,
    /// HS256 with the client secret.
    AlgHmacClientSecret,
    /// HS256 with the public key in PEM.
    AlgHmacPublicPem,
    /// HS256 with the public key as a JWK.
    AlgHmacPublicJwk,
    /// ES256 in the header, and a signature by the RSA key it names.
    AlgEcWithRsaKey,
    /// PS256 in the header, and a signature as RS256.
    AlgSwappedPadding,
    /// ES512, which nobody has allowed.
    AlgNotAllowed,
    /// A key that is not in the set.
    KeyUnknown,
    /// A key named as a path and a query.
    KeyTraversal,
    /// A key in the header.
    KeyEmbedded,
    /// A header that says where the key is.
    KeyUrl,
    /// A header that says where the certificate is.
    KeyCertificateUrl,
    /// The JSON serialisation, with two signatures.
    JsonSerialisation,
    /// A megabyte.
    TokenHuge,
    /// An extension that must be understood.
    TokenCritical,
    /// A claim twice.
    TokenClaimTwice,
    /// A member of the header twice.
    TokenHeaderTwice,
    /// An access token's type.
    TokenTypeAccess,
    /// A logout token's type.
    TokenTypeLogout,
    /// Five parts.
    TokenEncrypted,
    /// A signature by somebody else's key.
    SignatureForeign,
    /// No signature.
    SignatureStripped,
    /// Claims that were changed after signing.
    SignatureOfOtherClaims,
    /// The answer of the token endpoint has no ID token.
    TokenMissing,
    /// The token endpoint redirects.
    TokenEndpointRedirects,
    /// Fails.
    TokenEndpointFails,
    /// Answers with a web page.
    TokenEndpointHtml,
    /// Answers with a byte a second.
    TokenEndpointSlow,
    /// Answers with a gigabyte.
    TokenEndpointEndless,
    /// Answers with what unpacks to very much.
    TokenEndpointGzip,
    /// Breaks off.
    TokenEndpointBreaksOff,
    /// Refuses, with markup in the description.
    TokenEndpointRefuses,
    /// Does not know the client.
    TokenEndpointForgetsClient,
    /// The metadata redirects.
    MetadataRedirects,
    /// Is a web page.
    MetadataHtml,
    /// Fails.
    MetadataFails,
    /// Is not there.
    MetadataMissing,
    /// Comes a byte a second.
    MetadataSlow,
    /// Is a gigabyte.
    MetadataEndless,
    /// Unpacks to very much.
    MetadataGzip,
    /// Is of another issuer.
    MetadataIssuer,
    /// Has a slash at the end of the issuer.
    MetadataIssuerSlash,
    /// Has the issuer in capital letters.
    MetadataIssuerCase,
    /// Has a template for the issuer.
    MetadataIssuerTemplate,
    /// Names the token endpoint of another provider.
    MetadataForeignTokenEndpoint,
    /// Names endpoints without TLS elsewhere.
    MetadataPlainEndpoints,
    /// Names no keys.
    MetadataWithoutKeys,
    /// Offers only the implicit flow.
    MetadataWithoutCode,
    /// Offers only PKCE in clear.
    MetadataWithoutPkce,
    /// Offers only `private_key_jwt`.
    MetadataWithoutClientAuth,
    /// Offers only symmetric algorithms.
    MetadataSymmetric,
    /// The keys redirect.
    KeysRedirect,
    /// Are a web page.
    KeysHtml,
    /// Fail.
    KeysFail,
    /// Come a byte a second.
    KeysSlow,
    /// Are a gigabyte.
    KeysEndless,
    /// Unpack to very much.
    KeysGzip,
    /// Are ten thousand.
    KeysTenThousand,
    /// The key is a shared secret.
    KeySymmetric,
    /// Is RSA with 1024 bits.
    KeySmall,
    /// Is RSA with an exponent of one.
    KeyExponentOne,
    /// Is not on its curve.
    KeyOffCurve,
    /// Is for encryption.
    KeyForEncryption,
}

/// What a provider does that is unusual, or even against the standard, and must be lived with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Habit {
    /// Keys have no names, and neither has a token's header.
    NamesNoKeys,
    /// The audience is a list.
    AudienceList,
    /// The audience is a list of two, with `azp`.
    AudienceListWithParty,
    /// `typ` is missing.
    NoType,
    /// `auth_time` has a fraction or is zero, `email_verified` is a text, groups come twice, and times have fractions.
    OddClaims,
    /// `expires_in` is a text, and `token_type` is missing.
    OddTokenAnswer,
    /// Metadata with `none` among the algorithms, and members of odd types.
    OddMetadata,
    /// Metadata without any list.
    BareMetadata,
    /// Keys with members of odd types beside the good one.
    OddKeys,
    /// No `iss` in the response, and none announced.
    NoResponseIss,
}
