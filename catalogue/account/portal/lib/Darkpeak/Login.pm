# A plugin of the portal: an address with many failed logins has to wait, a wrong name takes as long as a wrong password, and a
# password is the same from every keyboard.
package Darkpeak::Login;
use strict;
use warnings;
use Mouse;
use Net::LDAP;
use Socket qw(AF_INET AF_INET6 inet_pton);
use Unicode::Normalize qw(NFC);
use Lemonldap::NG::Portal::Main::Request;
use Lemonldap::NG::Portal::Main::Constants qw(PE_BADCREDENTIALS PE_WAIT);
extends 'Lemonldap::NG::Portal::Main::Plugin';

use constant aroundSub => { getUser => 'find', authenticate => 'check' };

# Failed logins from one address, in this time, after which it has to wait. With those that the wiki and the chat allow, they
# are not enough for the directory to lock a member (services/directory/slapd/policy.ldif).
use constant { MOST => 9, SECONDS => 60, ADDRESSES => 10_000 };
# It has a password that nobody knows.
use constant STRANGER => 'cn=stranger,ou=services,dc=collective';

has failures => ( is => 'ro', default => sub { {} } );

sub init { return 1 }

# The directory has passwords in Unicode's form NFC; some keyboards write "é" as two characters.
Lemonldap::NG::Portal::Main::Request->meta->add_around_method_modifier( param => sub {
    my ( $original, $self, @name ) = @_;
    return $self->$original(@name) unless @name == 1 && $name[0] =~ /password$/;
    my $typed = $self->$original(@name);
    my $text  = $typed;
    return $typed unless defined $typed && utf8::decode($text);
    utf8::encode( $text = NFC($text) );
    return $text;
} );

# Find the member who wants to log in.
sub find {
    my ( $self, $sub, $req, @rest ) = @_;
    # The portal would let strangers change a password, if they know the old one: that is a login without a count of failures.
    return PE_BADCREDENTIALS if !defined $req->data->{password} && defined $req->data->{oldpassword} && !$req->userData->{uid};
    return $sub->( $req, @rest ) unless defined $req->data->{password}; # it is no login
    return PE_WAIT if $self->recent($req) >= MOST;
    my $result = $sub->( $req, @rest );
    if ( $result == PE_BADCREDENTIALS ) {
        my $directory = $self->p->_authentication;
        $directory->validateLdap;
        Net::LDAP::bind( $directory->ldap, STRANGER, password => $req->data->{password} ) if $directory->ldap;
        $self->record($req);
    }
    return $result;
}

# Check the password of a member who was found. What the portal itself does after a wrong one would show that the name exists.
sub check {
    my ( $self, $sub, $req ) = @_;
    my $result = $req->authResult( $self->p->_authentication->authenticate($req) );
    $self->record($req) if $result == PE_BADCREDENTIALS;
    return $result;
}

# Return how many logins from the visitor's address have failed in the last time.
sub recent {
    my ( $self, $req ) = @_;
    return scalar grep { $_ > time - SECONDS } @{ $self->failures->{ network($req) } || [] };
}

sub record {
    my ( $self, $req ) = @_;
    my $failures = $self->failures;
    if ( keys %$failures > ADDRESSES ) {
        for my $network ( keys %$failures ) {
            delete $failures->{$network} if $failures->{$network}[-1] <= time - SECONDS;
        }
    }
    my $times = $failures->{ network($req) } ||= [];
    push @$times, time;
    shift @$times if @$times > MOST;
    return;
}

# Return the visitor's address; with IPv6, the network that a visitor usually has.
sub network {
    my ($req) = @_;
    my $address = $req->address || '';
    my $six = inet_pton( AF_INET6, $address );
    return $six ? substr( $six, 0, 8 ) : inet_pton( AF_INET, $address ) || '';
}

1;
