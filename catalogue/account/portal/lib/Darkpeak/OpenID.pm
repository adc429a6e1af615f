# A plugin of the portal for OpenID Connect: it accepts only the kind of PKCE that hides the verifier, leads members who log
# out back to the service, and shows `reconfigure` which configuration is in use.
package Darkpeak::OpenID;
use strict;
use warnings;
use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(PE_OK PE_ERROR);
extends 'Lemonldap::NG::Portal::Main::Plugin';

use constant hook         => { oidcGotRequest => 'require_s256' };
use constant beforeLogout => 'forget_path';

sub init {
    my ($self) = @_;
    $self->addUnauthRoute( configuration => 'number', ['GET'] );
    return 1;
}

sub number {
    my ( $self, $req ) = @_;
    return $self->p->sendError( $req, undef, 403 ) unless ( $req->env->{INSIDE} || '' ) eq 'yes';
    return $self->sendJSONresponse( $req, { number => $self->conf->{cfgNum} } );
}

# The portal would lead members who log out back to its own path, and not to the service that sent them.
sub forget_path {
    my ( $self, $req ) = @_;
    delete $req->{urldc} if $req->uri =~ m{^/oauth2/};
    return PE_OK;
}

# Without a challenge, the portal itself tells the service what is missing.
sub require_s256 {
    my ( $self, $req, $request ) = @_;
    return PE_OK unless $request->{code_challenge};
    return ( $request->{code_challenge_method} || 'plain' ) eq 'S256' ? PE_OK : PE_ERROR;
}

1;
