"""Rules by which foreign keys are found, each on the smallest tables that it could get wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from sightline.graph.vocabulary import default_prefixes
from sightline.ingest.profile.profile import profile
from tests.ingest.conftest import discover, ends_and_links


def table(header: str, rows: Iterable[object]) -> str:
    return "\n".join([header, *map(str, rows)]) + "\n"


def numbered(header: str, count: int, rest: str = "name") -> str:
    return table(f"{header},{rest}", (f"{i},{rest} of {i}" for i in range(1, count + 1)))


VIA = table("order_id,ship_via,price", (f"{i + 10},{i % 3 + 1},1.5" for i in range(30)))
CASES = {
    "an id that others repeat names the table in which it differs": (
        {
            "patients": table("subject_id,sex", (f"{i},m" for i in range(7000, 7040))),
            "stays": table(
                "subject_id,hadm_id,ward", (f"{7000 + i % 30},{i * 7 + 90000},w" for i in range(60))
            ),
            "drugs": table(
                "subject_id,hadm_id,dose",
                (f"{7000 + i % 30},{i % 60 * 7 + 90000},{i}" for i in range(90)),
            ),
        },
        {
            ("stays", "subject_id", "patients"),
            ("drugs", "subject_id", "patients"),
            ("drugs", "hadm_id", "stays"),
        },
    ),
    "the type of a post is no type of a vote": (
        {
            "vote_types": numbered("id", 9),
            "posts": table("id,post_type_id", (f"{i},{i % 3 + 1}" for i in range(1, 40))),
        },
        set(),
    ),
    "the item of an order is no product": (
        {
            "products": numbered("product_id", 9),
            "orders": numbered("order_id", 30),
            "order_items": table(
                "order_id,item_id,qty", (f"{i // 3 + 1},{i % 3 + 1},7" for i in range(90))
            ),
        },
        {("order_items", "order_id", "orders")},
    ),
    "a creator is a user, though users are persons": (
        {
            "person": numbered("person_id", 40),
            "users": table("user_id,person_id", (f"{i},{i * 2}" for i in range(1, 21))),
            "notes": table("note_id,creator", (f"{i + 90},{i % 20 + 1}" for i in range(60))),
        },
        {("users", "person_id", "person"), ("notes", "creator", "users")},
    ),
    "a group of observations is one of them": (
        {"obs": table("obs_id,obs_group_id", (f"{i},{(i // 5) or ''}" for i in range(1, 60)))},
        {("obs", "obs_group_id", "obs")},
    ),
    "the id of an identifier is no patient": (
        {
            "patient": numbered("patient_id", 40),
            "patient_identifier": table(
                "patient_identifier_id,patient_id,identifier",
                (f"{i},{i % 40 + 1},c{i}" for i in range(1, 60)),
            ),
        },
        {("patient_identifier", "patient_id", "patient")},
    ),
    "abbreviations of business systems": (
        {
            "emp_mst": table(
                "emp_no,emp_nm,mgr_emp_no", (f"{i},n{i},{i // 4 or ''}" for i in range(1, 31))
            ),
            "cust_mst": table(
                "cust_no,cust_nm,sls_rep_no", (f"{i},c{i},{i % 30 + 1}" for i in range(1, 90))
            ),
        },
        {("emp_mst", "mgr_emp_no", "emp_mst"), ("cust_mst", "sls_rep_no", "emp_mst")},
    ),
    "a word of the name and all keys of a small table": (
        {"shippers": numbered("shipper_id", 3), "orders": VIA},
        {("orders", "ship_via", "shippers")},
    ),
    "the same word where a key is never used": (
        {"shippers": numbered("shipper_id", 4), "orders": VIA},
        set(),
    ),
    "letters that all columns begin with": (
        {
            "nation": table("n_nationkey,n_name,n_note", (f"{i},n{i},x {i}" for i in range(1, 26))),
            "supplier": table(
                "s_suppkey,s_name,s_nationkey", (f"{i},firm {i},{i % 25 + 1}" for i in range(90))
            ),
        },
        {("supplier", "s_nationkey", "nation")},
    ),
    "the type of an artist is an artist type": (
        {
            "artist_type": numbered("id", 4),
            "label_type": numbered("id", 4),
            "artist": table("id,name,type", (f"{i},n{i},{i % 4 + 1}" for i in range(30))),
        },
        {("artist", "type", "artist_type")},
    ),
    "how many there are refers to nothing": (
        {
            "votes": table("id,kind", (f"{i},{i % 2}" for i in range(1, 90))),
            "users": table("id,name,up_votes", (f"{i},n{i},{i % 7 + 1}" for i in range(1, 40))),
        },
        set(),
    ),
    "a table about a thing is not the thing": (
        {
            "publishers": table("pub_id,pub_name", (f"P{i:03},n{i}" for i in range(8))),
            "pub_info": table("pub_id,text", (f"P{i:03},text {i}" for i in range(8))),
            "titles": table("title_id,pub_id", (f"T{i:03},P{i % 8:03}" for i in range(30))),
        },
        {("pub_info", "pub_id", "publishers"), ("titles", "pub_id", "publishers")},
    ),
    "keys of tables with the same columns count apart": (
        {
            "post_meta": table("meta_id,key,value", (f"{i},k{i % 3},v{i}" for i in range(1, 60))),
            "term_meta": table("meta_id,key,value", (f"{i},k{i % 3},w{i}" for i in range(1, 30))),
        },
        set(),
    ),
    "numbers with gaps speak without a name, of the same table too": (
        {
            "posts": table(
                "Id,AcceptedAnswerId,Body",
                (f"{i * 7},{i * 7 % 210 + 7 if i % 3 == 0 else ''},text {i}" for i in range(1, 90)),
            ),
        },
        {("posts", "AcceptedAnswerId", "posts")},
    ),
    "of nested keys the few are meant": (
        {
            "person": table("BusinessEntityID,Name", (f"{i},n{i}" for i in range(1, 90))),
            "employee": table("BusinessEntityID,Login", (f"{i},l{i}@x" for i in range(1, 30))),
            "pay": table(
                "BusinessEntityID,Day,Rate",
                (f"{i % 29 + 1},2020-01-{i % 28 + 1:02},{i}.5" for i in range(80)),
            ),
        },
        {("employee", "BusinessEntityID", "person"), ("pay", "BusinessEntityID", "employee")},
    ),
    "two things of one kind, told apart by a number": (
        {
            "concept": table("concept_id,name", (f"{i},n{i}" for i in range(1, 60))),
            "pairs": table(
                "concept_id_1,concept_id_2,kind,since",
                (f"{i},{i * 3 % 59 + 1},a{i % 2},2020-01-01" for i in range(1, 59)),
            ),
        },
        {("pairs", "concept_id_1", "concept"), ("pairs", "concept_id_2", "concept")},
    ),
    "a role of few people": (
        {
            "employees": table("employee_id,last_name", (f"{i},n{i}" for i in range(100, 190))),
            "departments": table(
                "department_id,title,manager_id",
                ("10,a,101", "20,b,140", "30,c,150", "40,d,160", "50,e,177"),
            ),
        },
        {("departments", "manager_id", "employees")},
    ),
    "many records about each movie are no movies": (
        {
            "movie_info": table(
                "id,movie_id,info", (f"{i},{i % 30 + 1},x{i}" for i in range(1, 90))
            ),
            "cast": table("id,movie_id,role", (f"{i},{i % 30 + 1},r{i % 4}" for i in range(1, 70))),
        },
        set(),
    ),
    "who did it and where to": (
        {
            "res_users": numbered("id", 30),
            "stock_location": numbered("id", 30),
            "stock_move": table(
                "id,create_uid,location_dest_id",
                (f"{i},{i % 30 + 1},{i * 7 % 30 + 1}" for i in range(1, 90)),
            ),
        },
        {
            ("stock_move", "create_uid", "res_users"),
            ("stock_move", "location_dest_id", "stock_location"),
        },
    ),
    "things are meant and not what refers to them": (
        {
            "res_company": numbered("id", 8),
            "stock_warehouse": table("id,company_id,name", (f"{i},{i},n{i}" for i in range(1, 8))),
            "crm_team": table(
                "id,company_id,name", (f"{i},{i % 7 + 1},t{i}" for i in range(1, 60))
            ),
        },
        {
            ("stock_warehouse", "company_id", "res_company"),
            ("crm_team", "company_id", "res_company"),
        },
    ),
    "labels of repositories are none": (
        {
            "repo_labels": table("id,repo_id,name", (f"{i},{i % 9},n{i}" for i in range(1, 60))),
            "watchers": table(
                "repo_id,since", (f"{i % 9 + 1},2020-01-{i % 28 + 1:02}" for i in range(90))
            ),
        },
        set(),
    ),
    "plurals of words in us, and flags": (
        {
            "issue_statuses": numbered("id", 8),
            "issues": table(
                "id,status_id,is_status,name",
                (f"{i},{i % 8 + 1},{i % 2},n{i}" for i in range(1, 60)),
            ),
        },
        {("issues", "status_id", "issue_statuses")},
    ),
    "a country by its name": (
        {
            "countries": table("name,iso_code", (f"Land{i},{'abcdefgh'[i]}x" for i in range(8))),
            "airports": table("id,country", (f"{i},Land{i % 8}" for i in range(1, 60))),
        },
        {("airports", "country", "countries")},
    ),
    "what people do is done by users, and users are invited by users": (
        {
            "users": table(
                "id,name,invited_by_id", (f"{i},n{i},{i % 40 + 1}" for i in range(1, 60))
            ),
            "votes": table(
                "id,voter_id,given_by", (f"{i},{i % 50 + 1},{i % 45 + 1}" for i in range(90))
            ),
        },
        {
            ("users", "invited_by_id", "users"),
            ("votes", "voter_id", "users"),
            ("votes", "given_by", "users"),
        },
    ),
    "the manager of a customer is an employee, and one of customers where there is none": (
        {
            "employees": numbered("id", 30),
            "customers": table(
                "id,name,manager_id", (f"{i},n{i},{i % 30 + 1}" for i in range(1, 60))
            ),
        },
        {("customers", "manager_id", "employees")},
    ),
    "a record is a thing where a table is called so": (
        {
            "record": numbered("id", 9),
            "song": table("id,record_id", (f"{i},{i % 9 + 1}" for i in range(1, 40))),
        },
        {("song", "record_id", "record")},
    ),
    "vendors are suppliers": (
        {
            "suppliers": numbered("id", 9),
            "orders": table("order_no,vendor_id", (f"{i + 50},{i % 9 + 1}" for i in range(30))),
        },
        {("orders", "vendor_id", "suppliers")},
    ),
    "a thing and a column of it in one name": (
        {
            "country": table("id,iso,name", (f"{i + 100},K{i}X,Land {i}" for i in range(9))),
            "visit": table("visit_id,country_id", (f"{i},{i % 9 + 100}" for i in range(30))),
            "team": table("team_id,country_iso", (f"{i},K{i % 9}X" for i in range(30))),
        },
        {("visit", "country_id", "country"), ("team", "country_iso", "country")},
    ),
    "a copy of the name beside the id is no second link": (
        {
            "customer": table("id,name", (f"{i},Firm {i}" for i in range(9))),
            "orders": table(
                "id,customer_id,customer_name", (f"{i},{i % 9},Firm {i % 9}" for i in range(30))
            ),
        },
        {("orders", "customer_id", "customer")},
    ),
    "each of two cities is in a country of its own": (
        {
            "city": table("id,name,country", ["1,Bern,1", "2,Wien,2"]),
            "country": table("id,name", ["1,Svizra", "2,Ostmark"]),
        },
        {("city", "country", "country")},
    ),
    "a list of codes is of the only records that are called so": (
        {"works": table("id,about", (f"W{i}05,W{i + 1}05|W{i + 2}05" for i in range(10, 15)))},
        set(),
    ),
    "a list of codes that are all found": (
        {
            "works": table(
                "id,about", (f"W{i}05,W{(i + 1) % 9}05|W{(i + 2) % 9}05" for i in range(9))
            )
        },
        {("works", "about", "works")},
    ),
    "the id of something else names no record": (
        {
            "works": table("id,cited_work", (f"W{i}05,W{(i + 1) % 9}05" for i in range(9))),
            "shares": table("author_id,work_id", (f"A{i % 3}7,W{i}05" for i in range(9))),
        },
        {("works", "cited_work", "works"), ("shares", "work_id", "works")},
    ),
    "keys that end in id without a sign before it": (
        {
            "target_dictionary": table("tid,pref_name", (f"{i},n {i}" for i in range(1, 60))),
            "assays": table("assay_id,tid", (f"{i},{i % 50 + 1}" for i in range(1, 90))),
        },
        {("assays", "tid", "target_dictionary")},
    ),
    "the capital of a country is a city, a season is a year": (
        {
            "city": numbered("ID", 40),
            "country": table("Code,Name,Capital", (f"K{i}X,L{i},{i + 3}" for i in range(1, 31))),
            "seasons": table("year,url", (f"{i},http://x/{i}" for i in range(1950, 1990))),
            "races": table("raceId,year", (f"{i},{i % 30 + 1950}" for i in range(1, 60))),
        },
        {("country", "Capital", "city"), ("races", "year", "seasons")},
    ),
    "doctors lead, and the first number that somebody gave names a patient": (
        {
            "physician": numbered("employeeid", 9),
            "department": table("departmentid,name,head", ["1,a,4", "2,b,7", "3,c,9"]),
            "patient": table(
                "ssn,address,pcp", (f"{i * 37 + 10**8},way {i},{i % 9 + 1}" for i in range(40))
            ),
            "stay": table("stayid,patient", (f"{i},{i % 40 * 37 + 10**8}" for i in range(60))),
        },
        {
            ("department", "head", "physician"),
            ("patient", "pcp", "physician"),
            ("stay", "patient", "patient"),
        },
    ),
    "a parent by the number beside the key that others refer to": (
        {
            "track": table(
                "id,track_id,parent", (f"{i},t{i}b7c,{i // 4 or ''}" for i in range(1, 60))
            ),
            "credit": table("id,track_id", (f"{i},t{i % 50 + 1}b7c" for i in range(1, 90))),
        },
        {("track", "parent", "track"), ("credit", "track_id", "track")},
    ),
    "parts of a key by other words for them, the name of a province by its own": (
        {
            "teams": table(
                "yearID,lgID,teamID,Rank",
                (f"{y},{'AN'[t % 2]}L,T{t // 2},{t}" for y in range(1950, 1960) for t in range(4)),
            ),
            "games": table(
                "game.key,year.key,league.key,team.key",
                (f"{i},{1950 + i % 10},{'AN'[i % 2]}L,T{i // 2 % 2}" for i in range(60)),
            ),
            "province": table("Name,Country", (f"p{i % 9},c{i % 7}" for i in range(63))),
            "lake": table("Lake,Province,Country", (f"l{i},p{i % 9},c{i % 7}" for i in range(40))),
            "country": table("Code,Name", (f"c{i},Land {i}" for i in range(7))),
        },
        {
            ("games", "year.key+league.key+team.key", "teams"),
            ("lake", "Province+Country", "province"),
            ("lake", "Country", "country"),
            ("province", "Country", "country"),
        },
    ),
    "a code in a floor, written as one word": (
        {
            "block": table("blockfloor,blockcode", (f"{i // 4},{i % 4}" for i in range(16))),
            "room": table(
                "roomnumber,blockfloor,blockcode,kind",
                (f"{i},{i % 4},{i // 3 % 4},k" for i in range(101, 140)),
            ),
        },
        {("room", "blockcode+blockfloor", "block")},
    ),
    "two ends of which a table has a record each": (
        {
            "country": table("Code,Name", (f"C{i}X,Land {i}" for i in range(30))),
            "borders": table(
                "Country1,Country2,Length", (f"C{i}X,C{i * 7 % 30}X,{i}.5" for i in range(30))
            ),
            "prereq": table("course_id,prereq_id", (f"K-{i % 9},K-{i % 7}" for i in range(30))),
            "course": table("course_id,title", (f"K-{i},title {i}" for i in range(9))),
        },
        {
            ("borders", "Country1", "country"),
            ("borders", "Country2", "country"),
            ("prereq", "course_id", "course"),
            ("prereq", "prereq_id", "course"),
        },
    ),
    "a river flows into a river": (
        {
            "river": table(
                "Name,River", (f"r{i:03},{f'r{i // 3:03}' if i else ''}" for i in range(60))
            )
        },
        {("river", "River", "river")},
    ),
    "a bare uid is of a user; whether a fork is no fork": (
        {
            "user": numbered("id", 40),
            "repository": table(
                "id,fork_id,is_fork", (f"{i},{i // 3 or ''},{int(i > 2)}" for i in range(1, 60))
            ),
            "star": table("id,uid", (f"{i},{i % 40 + 1}" for i in range(1, 90))),
        },
        {("star", "uid", "user"), ("repository", "fork_id", "repository")},
    ),
    "who edited last, the type of a unit, and what is a count": (
        {
            "people": numbered("PersonID", 90),
            "package_types": table(
                "PackageTypeID,LastEditedBy,name", (f"{i},{i % 3 + 1},n{i}" for i in range(1, 10))
            ),
            "items": table(
                "ItemID,UnitPackageID,LeadTimeDays",
                (f"{i},{i % 9 + 1},{i % 14 + 1}" for i in range(1, 60)),
            ),
            "quiz_attempts": numbered("id", 60),
            "papers": table("paper_id,attemptnumber", (f"{i},{i % 9 + 1}" for i in range(70, 99))),
        },
        {
            ("package_types", "LastEditedBy", "people"),
            ("items", "UnitPackageID", "package_types"),
        },
    ),
    "ids without a name that go as far as the keys of one table": (
        {
            "title": table("id,words", (f"{i},w{i % 7} of it" for i in range(1, 301))),
            "cast": table("id,movie_id", (f"{i},{i * 7 % 300 + 1}" for i in range(1, 351))),
            "extra": table("id,movie_id", (f"{i},{i % 9 + 1}" for i in range(1, 90))),
            "names": table("id,words", (f"{i},w{i % 7} of it" for i in range(1, 451))),
            "info": table("id,movie_id", (f"{i},{i * 8 % 300 + 1}" for i in range(1, 301))),
        },
        {(other, "movie_id", "title") for other in ("cast", "extra", "info")},
    ),
    "ids that go as far as the keys of two tables, or that a column says the table of": (
        {
            "title": table("id,words", (f"{i},w{i % 7} of it" for i in range(1, 301))),
            "names": table("id,words", (f"{i},w{i % 7} of it" for i in range(1, 302))),
            "cast": table("id,movie_id", (f"{i},{i * 7 % 300 + 1}" for i in range(1, 351))),
            "shelves": table("id,words", (f"{i},w{i % 7} of it" for i in range(1, 601))),
            "notes": table(
                "id,about_id,about_type", (f"{i},{i * 7 % 600 + 1},t{i % 3}" for i in range(1, 701))
            ),
        },
        set(),
    ),
    "a company by a table called after its name": (
        {
            "company_name": numbered("id", 40, "text"),
            "company_type": numbered("id", 60, "text"),
            "movie_companies": table(
                "id,company_id,note", (f"{i},{i % 40 + 1},n{i % 7}" for i in range(1, 90))
            ),
        },
        {("movie_companies", "company_id", "company_name")},
    ),
    "a table to look scores up in": (
        {
            "confidence_score_lookup": numbered("confidence_score", 9, "text"),
            "assays": table("assay_id,confidence_score", (f"{i},{i % 9 + 1}" for i in range(60))),
        },
        {("assays", "confidence_score", "confidence_score_lookup")},
    ),
    "the type of a target, beside the parent of the type": (
        {
            "target_type": table(
                "target_type,parent_type", (f"kind {i},top {i % 3}" for i in range(9))
            ),
            "targets": table("tid,target_type", (f"{i},kind {i % 9}" for i in range(1, 60))),
        },
        {("targets", "target_type", "target_type")},
    ),
    "a record of compound records": (
        {
            "compound_records": numbered("record_id", 300, "text"),
            "drugs": table("drug_id,record_id", (f"{i},{i % 30 + 1}" for i in range(1, 60))),
        },
        {("drugs", "record_id", "compound_records")},
    ),
    "a parent in a table of fewer than it refers to": (
        {
            "molecules": numbered("molregno", 90, "text"),
            "hierarchy": table(
                "molregno,parent_molregno", (f"{i},{i // 2 + 1}" for i in range(1, 80))
            ),
        },
        {("hierarchy", "molregno", "molecules"), ("hierarchy", "parent_molregno", "molecules")},
    ),
    "the default status is a status, that of a user is none of an issue": (
        {
            "issue_statuses": numbered("id", 6),
            "trackers": table(
                "id,default_status_id,text",
                ("1,2,a", "2,3,b", "3,2,c", "4,6,d", "5,5,e", "6,1,f", "7,4,g"),
            ),
            "users": table("id,status,text", (f"{i},{i % 3 + 1},t{i % 5}" for i in range(1, 40))),
        },
        {("trackers", "default_status_id", "issue_statuses")},
    ),
    "an issue after the word that says which": (
        {
            "issues": table("id,assigned_to_id", (f"{i},{i * 999}" for i in range(1, 60))),
            "issue_relations": table(
                "id,issue_to_id,delay", (f"{i},{i % 50 + 1},{i % 4}" for i in range(1, 80))
            ),
        },
        {("issue_relations", "issue_to_id", "issues")},
    ),
    "what a label is called by is no release of it": (
        {
            "label": table("id,label_code", (f"{i},{i * 3 % 80 + 1}" for i in range(1, 90))),
            "release_label": numbered("id", 99, "text"),
        },
        set(),
    ),
    "episodes of a series are titles as this is": (
        {"title": table("id,episode_of_id", (f"{i},{i // 9 or ''}" for i in range(1, 90)))},
        {("title", "episode_of_id", "title")},
    ),
    "keys called alike where each table counts its own": (
        {
            "customer_demographics": table(
                "c_demo_sk,c_sex,c_text", (f"{i},m,t{i % 9}" for i in range(1, 90))
            ),
            "household_demographics": table(
                "h_demo_sk,h_band,h_text", (f"{i},{i % 3},t{i % 9}" for i in range(1, 60))
            ),
        },
        set(),
    ),
    "a name is no name of its own table": (
        {
            "name": table("id,name,kind", (f"{i},who {i},k{i % 3}" for i in range(1, 60))),
            "aka": table("id,name_id,kind", (f"{i},{i % 50 + 1},k" for i in range(1, 90))),
        },
        {("aka", "name_id", "name")},
    ),
    "entities of a product are products, and each table counts its own": (
        {
            "product_entity": numbered("entity_id", 60, "sku"),
            "product_entity_text": table(
                "value_id,entity_id,text", (f"{i},{i % 60 + 1},t{i % 9}" for i in range(1, 90))
            ),
            "quote": numbered("entity_id", 40, "state"),
        },
        {("product_entity_text", "entity_id", "product_entity")},
    ),
    "who did it is a user, and none of those that are in a topic or a zone": (
        {
            "users": numbered("id", 60),
            "topics": numbered("id", 80, "title"),
            "topic_users": table(
                "id,user_id,topic_id", (f"{i},{i % 60 + 1},{i % 70 + 1}" for i in range(1, 81))
            ),
            "zone_members": numbered("id", 90, "state"),
            "posts": table(
                "id,topic_id,user_id,deleted_by_id,approver_id,post_number",
                (
                    f"{i},{i % 80 + 1},{i % 60 + 1},{i % 30 + 1},{i % 40 + 1},{i % 7 + 1}"
                    for i in range(1, 200)
                ),
            ),
        },
        {
            ("topic_users", "topic_id", "topics"),
            ("topic_users", "user_id", "users"),
            ("posts", "topic_id", "topics"),
            ("posts", "user_id", "users"),
            ("posts", "deleted_by_id", "users"),
            ("posts", "approver_id", "users"),
        },
    ),
    "managers are employees rather than users, and a user is made by a user": (
        {
            "employees": numbered("id", 60),
            "users": table(
                "id,login,created_by", (f"{i},l{i},{i // 3 or ''}" for i in range(1, 70))
            ),
            "vacancies": table(
                "vacancy_id,hiring_manager_id", (f"{i},{i % 50 + 1}" for i in range(1, 90))
            ),
        },
        {("users", "created_by", "users"), ("vacancies", "hiring_manager_id", "employees")},
    ),
    "who reports is a profile where no table is called after people": (
        {
            "profiles": numbered("userid", 60, "login"),
            "bugs": table("bug_id,reporter", (f"{i},{i % 50 + 1}" for i in range(1, 90))),
            "cc": table("bug_id,who", (f"{i},{i * 7 % 60 + 1}" for i in range(1, 90))),
        },
        {("bugs", "reporter", "profiles"), ("cc", "bug_id", "bugs"), ("cc", "who", "profiles")},
    ),
    "which post of a topic it is, and how many replies it has": (
        {
            "posts": numbered("id", 90, "text"),
            "notes": table(
                "note_id,post_number,reply_count",
                (f"{i},{i % 50 + 1},{i % 9 + 1}" for i in range(1, 90)),
            ),
            "topics": table("id,reply_count", (f"{i},{i % 30 + 1}" for i in range(1, 90))),
        },
        set(),
    ),
    "a uuid beside the key, and the code of a parent": (
        {
            "cards": table("id,uuid", (f"{i},a{i:03}-b{i * 7:04}" for i in range(1, 90))),
            "rulings": table(
                "id,uuid,text",
                (f"{i},a{i % 40 + 1:03}-b{(i % 40 + 1) * 7:04},t" for i in range(1, 90)),
            ),
            "sets": table(
                "id,code,parentCode",
                (f"{i},K{i:02},{f'K{i // 5:02}' if i > 9 else ''}" for i in range(1, 60)),
            ),
        },
        {("rulings", "uuid", "cards"), ("sets", "parentCode", "sets")},
    ),
    "the first column that others repeat names a table, whatever id stands beside it": (
        {
            "employee": table("emp_number,employee_id", (f"{i},E{i:04}" for i in range(1, 90))),
            "leave": table("id,emp_number", (f"{i},{i % 60 + 1}" for i in range(1, 200))),
            "d_icd": table("row_id,icd9_code", (f"{i},V{i:04}" for i in range(1, 60))),
            "d_proc": table("row_id,icd9_code", (f"{i},P{i:04}" for i in range(1, 60))),
            "diagnoses": table("row_id,icd9_code", (f"{i},V{i % 40 + 1:04}" for i in range(1, 90))),
        },
        {("leave", "emp_number", "employee"), ("diagnoses", "icd9_code", "d_icd")},
    ),
    "codes in front of what they are of, and an id with a number": (
        {
            "courses": table(
                "code_module,code_presentation,days",
                (f"{m * 3},{y}B,{y % 7}" for m in ("A", "B", "C") for y in range(2010, 2018)),
            ),
            "vle": table(
                "id_site,code_module,code_presentation",
                (f"{i + 5000},{'ABC'[i % 3] * 3},{2010 + i % 8}B" for i in range(90)),
            ),
            "atom": table("atom_id,element", (f"TR{i:03},c" for i in range(60))),
            "bonds": table("atom_id,atom_id2", (f"TR{i:03},TR{i * 7 % 60:03}" for i in range(50))),
        },
        {
            ("vle", "code_module+code_presentation", "courses"),
            ("bonds", "atom_id", "atom"),
            ("bonds", "atom_id2", "atom"),
        },
    ),
    "one more table of the same things refers to the one that is called after them": (
        {
            "assay": table("assay_id,program", (f"{i},p{i % 4}" for i in range(1, 40))),
            "assay_remark": table("assay_id,remark", (f"{i},r{i % 5}" for i in range(1, 40))),
        },
        {("assay_remark", "assay_id", "assay")},
    ),
    "who it was suggested by is one of those who have first and last names": (
        {
            "readers": table(
                "readernumber,surname,firstname", (f"{i},S{i % 9},F{i % 7}" for i in range(1, 60))
            ),
            "wishes": table(
                "wishid,suggestedby,owner", (f"{i},{i % 55 + 1},{i % 40 + 1}" for i in range(1, 90))
            ),
        },
        {("wishes", "suggestedby", "readers"), ("wishes", "owner", "readers")},
    ),
    "the creator of a few kinds is what the creators of much else are": (
        {
            "users": numbered("user_id", 90),
            "visits": table("visit_id,creator", (f"{i},{i % 80 + 1}" for i in range(1, 200))),
            "visit_kinds": table("kind_id,creator", (f"{i},{i * 5}" for i in range(1, 5))),
        },
        {("visits", "creator", "users"), ("visit_kinds", "creator", "users")},
    ),
    "the current state of an order is an order state, though there are states": (
        {
            "state": numbered("state_id", 60),
            "order_state": numbered("order_state_id", 9),
            "orders": table("order_id,current_state", (f"{i},{i % 9 + 1}" for i in range(1, 90))),
        },
        {("orders", "current_state", "order_state")},
    ),
    "a code that is cut short, and one that is a number": (
        {
            "concept_dimension": table(
                "path,concept_cd,name", (f"/c/{i % 7}/{i},C:{i:04},n{i}" for i in range(1, 60))
            ),
            "facts": table("fact_id,concept_cd", (f"{i},C:{i % 50 + 1:04}" for i in range(1, 90))),
            "languages": table("id,name", (f"{i},l{i}" for i in range(1, 7))),
            "books": table("book_id,lang_code", (f"{i},{i % 6 + 1}" for i in range(1, 90))),
        },
        {
            ("facts", "concept_cd", "concept_dimension"),
            ("books", "lang_code", "languages"),
        },
    ),
    "the visit that a visit came from": (
        {
            "historyvisits": table(
                "id,from_visit,kind", (f"{i},{i - 1 or ''},{i % 3}" for i in range(1, 90))
            )
        },
        {("historyvisits", "from_visit", "historyvisits")},
    ),
    "one word at the end of several ends as ids do": (
        {"hosts": table("hostid,proxy_hostid", (f"{i},{i // 4 or ''}" for i in range(1, 90)))},
        {("hosts", "proxy_hostid", "hosts")},
    ),
    "what was created by an application was created by no user": (
        {
            "users": table(
                "id,created_by_application_id", (f"{i},{i % 40 + 1}" for i in range(1, 90))
            ),
            "oauth_applications": numbered("id", 40),
        },
        {("users", "created_by_application_id", "oauth_applications")},
    ),
    "a letter and id, if the numbers are those of no other table": (
        {
            "notes": table("id,text", (f"{i * 7919 + 90000},t{i}" for i in range(60))),
            "cards": table("id,nid", (f"{i},{i % 50 * 7919 + 90000}" for i in range(90))),
            "sales": table("id,bid", (f"{i},{i % 9 + 1}" for i in range(30))),
        },
        {("cards", "nid", "notes")},
    ),
    "where a flight is from and where it goes to, by numbers": (
        {
            "airport": numbered("airport_id", 120),
            "airport_geo": table(
                "airport_id,lat,lon,town", (f"{i},1.{i},2.{i},t" for i in range(1, 121))
            ),
            "plane": numbered("plane_id", 60),
            "flight": table(
                "flight_id,from,to", (f"{i},{i % 119 + 2},{i * 7 % 70 + 1}" for i in range(1, 400))
            ),
        },
        {
            ("airport_geo", "airport_id", "airport"),
            ("flight", "from", "airport"),
            ("flight", "to", "airport"),
        },
    ),
    "details in one word are of what the column is called after": (
        {
            "passenger": numbered("passenger_id", 40),
            "passengerdetails": table("passenger_id,town", (f"{i},t" for i in range(1, 41))),
        },
        {("passengerdetails", "passenger_id", "passenger")},
    ),
    "as many slots as revisions, and each of one": (
        {
            "revision": numbered("rev_id", 60),
            "slots": table("slot_revision_id,slot_role", (f"{i},r{i % 2}" for i in range(1, 61))),
        },
        {("slots", "slot_revision_id", "revision")},
    ),
    "all columns begin alike, and others have the whole name": (
        {
            "employee": table(
                "EMP_NUM,EMP_LNAME,EMP_JOB", (f"{i},n{i},j" for i in range(100, 160))
            ),
            "department": table("DEPT,EMP_NUM", (f"D{i},{i * 3 + 100}" for i in range(11))),
        },
        {("department", "EMP_NUM", "employee")},
    ),
    "two letters of a word, and a number that is cut short": (
        {
            "databases": numbered("id", 5),
            "fields": table("id,db_id", (f"{i},{i % 5 + 1}" for i in range(1, 60))),
            "professor": numbered("professor_no", 30),
            "classes": table("class_id,prof_no", (f"{i},{i % 30 + 1}" for i in range(100, 180))),
        },
        {("fields", "db_id", "databases"), ("classes", "prof_no", "professor")},
    ),
    "who reports and writes, by the name to log in with": (
        {
            "users": table("id,user_name,full_name", (f"{i},u{i},U {i}" for i in range(1, 60))),
            "bugs": table(
                "id,reporter,state", (f"{i},u{i % 50 + 1},s{i % 3}" for i in range(1, 90))
            ),
        },
        {("bugs", "reporter", "users")},
    ),
    "a number that is 1, 2 or 3 is none of many comments": (
        {
            "comment": numbered("cid", 400),
            "page": table("pid,title,comment", (f"{i},t{i},{i % 3 + 1}" for i in range(1, 200))),
        },
        set(),
    ),
    "ids whose names begin so, in one word": (
        {
            "site": numbered("idsite", 40),
            "visit": table(
                "idvisit,idsite,idea", (f"{i},{i % 40 + 1},{i % 9 + 1}" for i in range(1, 90))
            ),
        },
        {("visit", "idsite", "site")},
    ),
    "an author is a user, whatever else has the letters of the word": (
        {
            "auth_user": numbered("id", 60),
            "auth_group_permissions": numbered("id", 90, "kind"),
            "posts": table("post_id,author_id", (f"{i},{i % 55 + 1}" for i in range(1, 200))),
        },
        {("posts", "author_id", "auth_user")},
    ),
    "what is related to a product is one, though there are as many zones": (
        {
            "product": numbered("product_id", 80),
            "zone": numbered("zone_id", 80),
            "product_related": table(
                "product_id,related_id", (f"{i % 80 + 1},{i * 7 % 79 + 1}" for i in range(100))
            ),
        },
        {
            ("product_related", "product_id", "product"),
            ("product_related", "related_id", "product"),
        },
    ),
    "what inherits is what it inherits from": (
        {
            "core_page": numbered("id", 60),
            "blog_entry": table("page_ptr_id,body", (f"{i},text {i}" for i in range(1, 50))),
        },
        {("blog_entry", "page_ptr_id", "core_page")},
    ),
    "pairs of things are none of them": (
        {
            "dashboard": numbered("id", 40),
            "dashboard_slices": table(
                "id,dashboard_id,chart_id",
                (f"{i},{i % 40 + 1},{i * 7 % 90 + 5000}" for i in range(1, 100)),
            ),
            "log": table("id,slice_id,text", (f"{i},{i % 99 + 1},t{i}" for i in range(1, 300))),
        },
        {("dashboard_slices", "dashboard_id", "dashboard")},
    ),
    "a category is of what its table is of": (
        {
            "gym_category": numbered("id", 12),
            "food_ingredientcategory": numbered("id", 12),
            "food_ingredient": table(
                "id,category_id,name", (f"{i},{i % 12 + 1},n{i}" for i in range(1, 90))
            ),
        },
        {("food_ingredient", "category_id", "food_ingredientcategory")},
    ),
    "a thing with nothing but its module before it is meant": (
        {
            **{f"core_{name}": numbered("id", 60) for name in ("user", "team", "town")},
            "core_zabbix_user": numbered("id", 50),
            "note": table("id,user_id,name", (f"{i},{i % 50 + 1},n{i}" for i in range(1, 90))),
        },
        {("note", "user_id", "core_user")},
    ),
    "types of which a table has one before them, however its module is called": (
        {
            "django_content_type": numbered("id", 30),
            "review": table(
                "id,owner_content_type_id,polymorphic_ctype_id",
                (f"{i},{i % 30 + 1},{i * 7 % 30 + 1}" for i in range(1, 90)),
            ),
        },
        {
            ("review", "owner_content_type_id", "django_content_type"),
            ("review", "polymorphic_ctype_id", "django_content_type"),
        },
    ),
    "the master of a translation is what is translated": (
        {
            "product": numbered("id", 60),
            "supplier": numbered("id", 60),
            "product_translation": table(
                "id,master_id,name", (f"{i},{i % 60 + 1},n{i}" for i in range(1, 130))
            ),
        },
        {("product_translation", "master_id", "product")},
    ),
    "the parent of a part that has no root is the whole": (
        {
            "category": numbered("id", 60),
            "category_item": table(
                "id,parent_id,name", (f"{i},{i % 60 + 1},n{i}" for i in range(1, 130))
            ),
        },
        {("category_item", "parent_id", "category")},
    ),
    "an object is of any table": (
        {
            "plan": numbered("id", 90),
            "remark": table("id,object_id,text", (f"{i},{i % 90 + 1},t{i}" for i in range(1, 200))),
        },
        set(),
    ),
    "a position in a list is no position of people": (
        {
            "staff_position": numbered("id", 90),
            "field": table("id,position,name", (f"{i},{i % 30 + 1},n{i}" for i in range(1, 200))),
        },
        set(),
    ),
    "the letters of a word in a long one are no abbreviation": (
        {
            "orderlinetaxlogentry": numbered("id", 90),
            "cart": table("id,orderer_id,text", (f"{i},{i % 60 + 1},t{i}" for i in range(1, 90))),
        },
        set(),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_rules_of_links(tmp_path: Path, rule: str) -> None:
    tables, wanted = CASES[rule]
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
    found = profile(discover([tmp_path]), default_prefixes()).tables
    assert set(ends_and_links(found)) == wanted


def test_ids_name_records_only_where_others_repeat_these_ids(tmp_path: Path) -> None:
    tables = dict(CASES["an id that others repeat names the table in which it differs"][0])

    def key() -> tuple[str, ...]:
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text)
        found = profile(discover([tmp_path]), default_prefixes()).tables
        return next(one.key for one in found if one.name == "stays")

    assert key() == ("hadm_id",)
    elsewhere = (f"{7000 + i % 30},{i % 60 * 7 + 90280},{i}" for i in range(90))
    tables["drugs"] = table("subject_id,hadm_id,dose", elsewhere)
    assert key() != ("hadm_id",)


def test_a_key_is_what_another_table_repeats_rather_than_what_differs_by_chance(
    tmp_path: Path,
) -> None:
    sections = ((f"K{i % 50}", i // 50, i) for i in range(100))
    rows = (f"{c},{i * 7 % 31},{i * 11 % 29},{n},{i % 3}" for c, n, i in sections)
    (tmp_path / "section.csv").write_text(table("course_id,room_id,slot_id,sec_id,size", rows))
    takes = (f"{i},K{i % 50},{i // 50 % 2}" for i in range(200))
    (tmp_path / "takes.csv").write_text(table("take_id,course_id,sec_id", takes))
    found = profile(discover([tmp_path]), default_prefixes()).tables
    assert next(one.key for one in found if one.name == "section") == ("course_id", "sec_id")


def test_measures_are_no_part_of_a_key(tmp_path: Path) -> None:
    rows = (f"{i % 9},{i // 9 * 1000 + i % 3},{i // 9}" for i in range(36))
    (tmp_path / "pay.csv").write_text(table("emp_id,salary,step", rows))
    (found,) = profile(discover([tmp_path]), default_prefixes()).tables
    assert found.key == ("emp_id", "step")
