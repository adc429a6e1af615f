# A plugin of the portal for the members' own page (me/), which is not a part of the portal: tells that page who a visitor is, and
# leads members who have logged in to it.
package Darkpeak::Me;
use strict;
use warnings;
use Mouse;
extends 'Lemonldap::NG::Portal::Main::Plugin';

sub init {
    my ($self) = @_;
    $self->addAuthRoute( whoami => 'member', ['GET'] );
    $self->addUnauthRoute( whoami => 'stranger', ['GET'] );
    $self->addAuthRouteWithRedirect( 'to-me' => 'lead', ['GET'] );
    return 1;
}

sub member {
    my ( $self, $req ) = @_;
    return $self->stranger($req) unless ( $req->env->{INSIDE} || '' ) eq 'yes';
    return $self->sendJSONresponse( $req, { uid => $req->userData->{uid} } );
}

sub stranger {
    my ( $self, $req ) = @_;
    return $self->p->sendError( $req, undef, 403 );
}

sub lead { return [ 303, [ Location => '/me', 'Cache-Control' => 'no-store' ], [] ] }

1;
