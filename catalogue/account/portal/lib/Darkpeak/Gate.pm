# A plugin of the portal for services whose members the router lets in: whoever has logged in here comes back to the service
# with a token, which says for a quarter of an hour, on that host, who it is. The router verifies it (see its haproxy.cfg).
package Darkpeak::Gate;
use strict;
use warnings;
use Mouse;
use Crypt::JWT qw(encode_jwt);
use Digest::SHA qw(sha256_hex);
use URI::Escape qw(uri_escape_utf8);
extends 'Lemonldap::NG::Portal::Main::Plugin';

use constant KEY     => '/var/lib/account/current/secrets/gate.pem';
use constant SECONDS => 900;

sub init {
    my ($self) = @_;
    $self->addAuthRouteWithRedirect( enter => 'enter', ['GET'] );
    return 1;
}

# Only hosts that `client` knows get a token, and each only at its own address.
sub enter {
    my ( $self, $req ) = @_;
    my $host = lc( $req->param('host') || '' );
    my $gate = $self->conf->{darkpeakGates}->{$host};
    return $self->p->sendError( $req, 'no such service', 404 ) unless $gate;
    my @groups = sort grep { length } split /;\s*/, $req->userData->{groups} || '';
    my %has = map { $_ => 1 } @groups;
    if ( @{ $gate->{groups} } && !grep { $has{$_} } @{ $gate->{groups} } ) {
        return $self->p->sendError( $req, 'not in the group', 403 );
    }
    my $token = encode_jwt(
        alg     => 'ES256',
        key     => \$self->key,
        payload => {
            aud    => $host,
            sub    => $req->userData->{uid},
            groups => join( ',', @groups ),
            nonce  => $req->param('nonce') || '',
            login  => sha256_hex( $req->userData->{_session_id} ),
            exp    => time + SECONDS,
        },
    );
    my $to = uri_escape_utf8( $req->param('to') || '/' );
    return [ 302, [ Location => "$gate->{url}?token=$token&to=$to", 'Cache-Control' => 'no-store' ], [] ];
}

# Read each time, since `rotate-keys` changes it.
sub key {
    open my $in, '<', KEY or die "the key of the gate cannot be read: $!\n";
    local $/ = undef;
    return scalar <$in>;
}

1;
