-- What DataFusion is asked otherwise than the others.

-- question: income per head: counties
select county, percentile_cont(head, 0.5), percentile_cont(head, 0.9)
from (select county, cast(income as double) / members as head from household) h group by county;
-- question: income per head: aided households
select county, percentile_cont(head, 0.5), percentile_cont(head, 0.9)
from (select county, cast(income as double) / members as head from household
 where hid in (select hid from person where {any aids dibao_rural, dibao_urban})) h group by county;
-- question: income per head: townships of a county
select township, percentile_cont(head, 0.5), percentile_cont(head, 0.9)
from (select township, cast(income as double) / members as head from household where county = 140105) h
group by township;
