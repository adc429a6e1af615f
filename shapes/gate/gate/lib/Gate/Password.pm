# Brings a password into Unicode's form NFC, as the directory has it: some keyboards write "é" as two characters.
package Gate::Password;
use strict;
use warnings;
use APR::Table ();
use Apache2::Const -compile => 'DECLINED';
use Apache2::RequestRec ();
use MIME::Base64        qw(decode_base64 encode_base64);
use Unicode::Normalize  qw(NFC);

sub handler {
    my ($request) = @_;
    my $headers = $request->headers_in;
    my ($given) = ( $headers->get('Authorization') // '' ) =~ /^Basic\s+(\S+)\s*$/i;
    my ( $name, $password ) = split /:/, decode_base64( $given // '' ), 2;
    my $text = $password // '';
    if ( $text =~ /[^\x00-\x7f]/ && utf8::decode($text) ) {
        utf8::encode( $text = NFC($text) );
        $headers->set( Authorization => 'Basic ' . encode_base64( "$name:$text", '' ) );
    }
    return Apache2::Const::DECLINED;
}

1;
