package main

deny contains "ÿş" if true
